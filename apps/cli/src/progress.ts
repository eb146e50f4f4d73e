import { SingleBar } from 'cli-progress';
import { count, duration } from './format.ts';
import { say, type Terminal } from './terminal.ts';

/** Shows how far a run is: a bar on a terminal, a line every few seconds elsewhere. */
export interface Progress extends Disposable {
  update(now: ImagesDone): void;
}

/** Images that have their result, by whomever. */
export interface ImagesDone {
  readonly done: number;
  readonly failed: number;
  /** Taken from earlier runs, which hardly takes time: rate and time left are those of the others. */
  readonly reused?: number;
}

const LINE_EVERY_MS = 5_000;
const RATE_WINDOW_MS = 30_000;

/**
 * @param before what there was before this process began
 * @param reusable images that are expected to be taken from earlier runs
 */
export function showProgress(terminal: Terminal, total: number, before: ImagesDone, reusable = 0): Progress {
  const rate = slidingRate(before.done - (before.reused ?? 0));
  const speedOf = ({ done, reused = 0 }: ImagesDone): Speed => {
    const perSecond = rate.update(done - reused);
    const left = total - done - Math.max(0, reusable - reused);
    return { perSecond, left: timeLeft(Math.max(0, left), perSecond) };
  };
  return terminal.stderr.isTTY && !terminal.log
    ? progressBar(terminal, total, before, speedOf)
    : progressLines(terminal, total, speedOf);
}

interface Speed {
  /** Images computed a second. */
  readonly perSecond: number;
  /** In words. */
  readonly left: string;
}

function progressBar(
  terminal: Terminal,
  total: number,
  before: ImagesDone,
  speedOf: (now: ImagesDone) => Speed,
): Progress {
  const format = '{bar} {value}/{total} images · {rate}/s · {left} left · {failed} failed';
  const bar = new SingleBar({
    format,
    stream: terminal.stderr,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    fps: 5,
  });
  bar.start(total, before.done, { rate: '–', left: '–', failed: 0 });
  return {
    update(now) {
      const { perSecond, left } = speedOf(now);
      bar.update(now.done, { rate: perSecond.toFixed(1), left, failed: now.failed });
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function progressLines(terminal: Terminal, total: number, speedOf: (now: ImagesDone) => Speed): Progress {
  let next = performance.now() + LINE_EVERY_MS;
  return {
    update(now) {
      const { perSecond, left } = speedOf(now);
      if (performance.now() < next) return;
      next = performance.now() + LINE_EVERY_MS;
      const failures = now.failed > 0 ? `, ${count(now.failed)} failed` : '';
      say(
        terminal,
        `${count(now.done)} of ${count(total)} images, ${perSecond.toFixed(1)} images/s, ${left} left${failures}`,
      );
    },
    [Symbol.dispose]: () => undefined,
  };
}

function timeLeft(images: number, perSecond: number): string {
  return perSecond > 0 ? duration(images / perSecond) : '–';
}

interface SlidingRate {
  /** Images a second over the last half minute. */
  update(done: number): number;
}

function slidingRate(done: number): SlidingRate {
  const points = [{ at: performance.now(), done }];
  return {
    update(done) {
      const at = performance.now();
      points.push({ at, done });
      while (points.length > 2 && points[1].at < at - RATE_WINDOW_MS) points.shift();
      const first = points[0];
      return at > first.at ? ((done - first.done) / (at - first.at)) * 1000 : 0;
    },
  };
}
