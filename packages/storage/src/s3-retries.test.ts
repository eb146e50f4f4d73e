import { expect, test } from 'vitest';
import { retryDelayMs, s3Retries, TRIES } from './s3-retries.ts';

test('delays double up to five seconds and never lie together', () => {
  expect([1, 2, 3, 7, 20].map((tries) => retryDelayMs(tries, () => 0))).toEqual([100, 200, 400, 5000, 5000]);
  expect(retryDelayMs(3, () => 1)).toBe(200);
});

test.each([
  ['a refusal to slow down', { errorType: 'THROTTLING', error: new Error('SlowDown') }, 12],
  ['what the SDK calls transient', { errorType: 'TRANSIENT', error: new Error('timed out') }, TRIES],
  [
    'a conflict of conditional writes',
    { errorType: 'CLIENT_ERROR', error: named('ConditionalRequestConflict') },
    TRIES,
  ],
  ['a refusal', { errorType: 'CLIENT_ERROR', error: named('AccessDenied') }, 1],
  ['expired credentials', { errorType: 'CLIENT_ERROR', error: named('ExpiredToken') }, 1],
  ['what nobody knows', { errorType: 'CLIENT_ERROR', error: new Error('?') }, 1],
])('%s is tried a fixed number of times', async (_, failure, tries) => {
  expect(await triesOf(failure)).toBe(tries);
});

test('a server may ask for a longer wait, within bounds', async () => {
  const first = await s3Retries.acquireInitialRetryToken();
  const hint = new Date(Date.now() + 60_000);
  const next = await s3Retries.refreshRetryTokenForRetry(first, {
    errorType: 'THROTTLING',
    retryAfterHint: hint,
  });
  expect(next.getRetryDelay()).toBe(5000);
});

function named(name: string): Error {
  return Object.assign(new Error(name), { name });
}

async function triesOf(failure: { errorType: string; error: Error }): Promise<number> {
  let token = await s3Retries.acquireInitialRetryToken();
  for (;;) {
    try {
      token = await s3Retries.refreshRetryTokenForRetry(token, failure);
    } catch {
      return token.getRetryCount() + 1;
    }
  }
}
