import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { s3Error } from './s3-error.ts';

/** Tries of a request in all: with one in five refused, one in 400,000 fails for good. */
export const TRIES = 8;
/** A server that says to slow down is there: it gets more of them. */
const THROTTLED_TRIES = 12;
/** A request is not tried again when its first try was this long ago: a black hole costs two idle timeouts, not eight. */
const GIVE_UP_AFTER_MS = 60_000;
const LONGEST_DELAY_MS = 5_000;

/** How long to wait before the next try, after `tries` of them: 0.1 s, doubling up to 5 s, less up to a half at random. */
export function retryDelayMs(tries: number, random: () => number = Math.random): number {
  return Math.min(100 * 2 ** (tries - 1), LONGEST_DELAY_MS) * (1 - random() / 2);
}

interface Token {
  getRetryCount(): number;
  getRetryDelay(): number;
  readonly startedAt: number;
}

interface Failure {
  readonly error?: unknown;
  readonly errorType: string;
  readonly retryAfterHint?: Date;
}

/**
 * When the SDK tries again. Unlike its own strategies it has no budget that a burst of refusals over many requests could use up,
 * and it goes by the same table as our errors.
 */
export const s3Retries = {
  acquireInitialRetryToken: (): Promise<Token> => Promise.resolve(token(0, 0, performance.now())),

  async refreshRetryTokenForRetry(last: { getRetryCount(): number }, failure: Failure): Promise<Token> {
    const { startedAt } = last as Token;
    const tries = last.getRetryCount() + 1;
    const most = failure.errorType === 'THROTTLING' ? THROTTLED_TRIES : TRIES;
    const late = performance.now() - startedAt > GIVE_UP_AFTER_MS;
    if (tries >= most || late || !isRetryable(failure)) throw new Error('not tried again');
    const asked = failure.retryAfterHint ? failure.retryAfterHint.getTime() - Date.now() : 0;
    return token(tries, Math.max(retryDelayMs(tries), Math.min(asked, LONGEST_DELAY_MS)), startedAt);
  },

  recordSuccess(): void {},
};

function token(count: number, delayMs: number, startedAt: number): Token {
  return { getRetryCount: () => count, getRetryDelay: () => delayMs, startedAt };
}

function isRetryable({ error, errorType }: Failure): boolean {
  // The SDK's word counts too: it sets its clock by the server's answer and calls the error of before transient.
  if (errorType === 'THROTTLING' || errorType === 'TRANSIENT') return true;
  const meant = s3Error(error, { verb: 'read', bucket: '', url: '' });
  return meant instanceof FilterscopeError && meant.code === 'store-unavailable';
}
