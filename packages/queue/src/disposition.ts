import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { isRedisTrouble } from './redis.ts';

/**
 * What becomes of a job that ended with an error:
 * - `hand-back`: another worker takes it, at once; no attempt is used up;
 * - `later`: it is tried again after a while, as often as it takes; no attempt is used up;
 * - `count`: tried again a few times, because nobody knows what it is;
 * - `give-up`: kept with its reason until a person says `resume`;
 * - `drop`: its run has ended.
 */
export type Disposition = 'hand-back' | 'later' | 'count' | 'give-up' | 'drop';

/** The run is no longer there, or no longer wanted. */
const ENDED = new Set(['unknown-run', 'run-cancelled', 'run-failed', 'run-deleted', 'too-many-failures']);
/** Not this worker's to do, for want of a permission, a setting or a program: others may be able to. */
const ELSEWHERE = new Set([
  'output-not-allowed',
  'engine-unavailable',
  'no-region',
  'wrong-region',
  'untrusted-certificate',
]);

/** @param handedBack whether the worker was told to let go of the job */
export function dispositionOf(error: unknown, handedBack: boolean): Disposition {
  if (handedBack) return 'hand-back';
  if (isRedisTrouble(error)) return 'later';
  if (!(error instanceof FilterscopeError)) return 'count';
  if (ENDED.has(error.code)) return 'drop';
  if (ELSEWHERE.has(error.code) || error.class === 'transient') return 'later';
  return 'give-up';
}

/** How long a job waits before its next start, after `starts` of them: 1 s, doubling up to a minute, with ±25 % at random. */
export function delayMs(starts: number, random: () => number = Math.random): number {
  const base = Math.min(1_000 * 2 ** Math.max(0, starts - 1), 60_000);
  return Math.round(base * (0.75 + random() / 2));
}
