import { SingleBar } from 'cli-progress';
import { count, duration } from './format.ts';
import { say, type Terminal } from './terminal.ts';

/** Shows how far a run is: a bar on a terminal, a line every few seconds elsewhere. */
export interface Progress extends Disposable {
  /** @param done images that have their result, earlier runs' included */
  update(done: number, failed: number): void;
}

const LINE_EVERY_MS = 5_000;
const RATE_WINDOW_MS = 30_000;

/** @param done images that had their result before this process began */
export function showProgress(terminal: Terminal, total: number, done: number): Progress {
  const rate = slidingRate(done);
  return terminal.stderr.isTTY && !terminal.log
    ? progressBar(terminal, total, done, rate)
    : progressLines(terminal, total, rate);
}

function progressBar(terminal: Terminal, total: number, done: number, rate: SlidingRate): Progress {
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
  bar.start(total, done, { rate: '–', left: '–', failed: 0 });
  return {
    update(done, failed) {
      const perSecond = rate.update(done);
      bar.update(done, { rate: perSecond.toFixed(1), left: timeLeft(total - done, perSecond), failed });
    },
    [Symbol.dispose]: () => bar.stop(),
  };
}

function progressLines(terminal: Terminal, total: number, rate: SlidingRate): Progress {
  let next = performance.now() + LINE_EVERY_MS;
  return {
    update(done, failed) {
      const perSecond = rate.update(done);
      if (performance.now() < next) return;
      next = performance.now() + LINE_EVERY_MS;
      const left = timeLeft(total - done, perSecond);
      const failures = failed > 0 ? `, ${count(failed)} failed` : '';
      say(
        terminal,
        `${count(done)} of ${count(total)} images, ${perSecond.toFixed(1)} images/s, ${left} left${failures}`,
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
