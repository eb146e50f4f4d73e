import { expect, test } from 'vitest';
import { createSlidingRate } from './sliding-rate.ts';

test('the growth of the last minute, or of the time there was', () => {
  let at = 0;
  const rate = createSlidingRate(60_000, () => at);
  expect(rate.update(0)).toBe(0);
  at = 10_000;
  expect(rate.update(20)).toBe(2);
  for (at = 15_000; at <= 75_000; at += 5_000) rate.update(20);
  expect(rate.update(20)).toBe(0); // all of it was longer ago
  at = 81_000;
  expect(rate.update(80)).toBeCloseTo(1, 1);
});
