import { expect, test } from 'vitest';
import { throttleErrors } from './error-throttle.ts';

test('an error is said at once, then at most every so often, with how often it came; another one by itself', () => {
  let at = 0;
  const said: [string, number][] = [];
  const throttled = throttleErrors(
    ({ message }, times) => said.push([message, times]),
    10_000,
    () => at,
  );
  for (at = 0; at < 25_000; at += 100) throttled(new Error('away'));
  throttled(new Error('full'));
  expect(said).toEqual([
    ['away', 1],
    ['away', 100],
    ['away', 100],
    ['full', 1],
  ]);
});
