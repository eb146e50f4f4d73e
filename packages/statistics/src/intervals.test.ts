import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { deadBound, meanInterval, meanOf, standardDeviation, wilson } from './intervals.ts';

// Newcombe 1998, "Two-sided confidence intervals for the single proportion", Table I, method 3.
test.each([
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
])('Wilson of %d in %d is as published', (successes, n, low, high) => {
  const interval = wilson(successes, n);
  expect(interval?.low).toBeCloseTo(low, 4);
  expect(interval?.high).toBeCloseTo(high, 4);
});

test('Wilson by hand with z = 2: 1 of 4', () => {
  // z²/n = 1; centre (0.25 + 0.5) / 2 = 0.375; half 2/2 × √(0.25 × 0.75 / 4 + 1/16) = √0.109375 = 0.3307189
  expect(wilson(1, 4, 2)?.low).toBeCloseTo(0.375 - 0.3307189, 7);
  expect(wilson(1, 4, 2)?.high).toBeCloseTo(0.375 + 0.3307189, 7);
});

test('Wilson holds the share, mirrors, and ends exactly at 0 and 1', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), fc.nat(), (n, seed) => {
      const successes = seed % (n + 1);
      const interval = wilson(successes, n);
      const mirrored = wilson(n - successes, n);
      expect(interval?.low).toBeLessThanOrEqual(successes / n);
      expect(interval?.high).toBeGreaterThanOrEqual(successes / n);
      expect(interval?.low).toBeCloseTo(1 - (mirrored?.high ?? NaN), 12);
    }),
  );
  expect(wilson(0, 7)?.low).toBe(0);
  expect(wilson(7, 7)?.high).toBe(1);
});

test('there is no Wilson interval of nothing, and none of more than all', () => {
  expect(wilson(0, 0)).toBeNull();
  for (const successes of [-1, 3, NaN]) expect(() => wilson(successes, 2)).toThrow(RangeError);
});

test('mean, deviation and interval by hand: 1, 2 and 6 parts of 10', () => {
  const sums = { n: 3, sum: 9n, sumOfSquares: 41n, unit: 10 };
  // mean 9/30 = 0.3; s² = (3 × 41 − 81) / (3 × 2) = 7 parts², s = √7 / 10 = 0.2645751
  expect(meanOf(sums)).toBe(0.3);
  expect(standardDeviation(sums)).toBeCloseTo(0.2645751, 7);
  // z = 1: 0.3 ± 0.2645751 / √3 = 0.3 ± 0.1527525
  expect(meanInterval(sums, 1)?.low).toBeCloseTo(0.1472475, 7);
  expect(meanInterval(sums, 1)?.high).toBeCloseTo(0.4527525, 7);
  // z = 1.96 goes to 0.3 − 0.2993895; z = 5 beyond both ends
  expect(meanInterval(sums)?.low).toBeCloseTo(0.0006105, 5);
  expect(meanInterval(sums, 5)).toEqual({ low: 0, high: 1 });
});

test('what may not have been seen widens an interval to the side where it would be', () => {
  const sums = { n: 3, sum: 9n, sumOfSquares: 41n, unit: 10 }; // mean 0.3, half 0.1527525 with z = 1, as above
  expect(meanInterval(sums, 1, 0.1)?.low).toBeCloseTo(0.1472475 - 0.03, 7);
  expect(meanInterval(sums, 1, 0.1)?.high).toBeCloseTo(0.4527525 + 0.07, 7);
});

test('equal images have the interval of Wilson', () => {
  // four images at 2 of 8: as 1 success in 4
  expect(meanInterval({ n: 4, sum: 8n, sumOfSquares: 16n, unit: 8 })).toEqual(wilson(1, 4));
  expect(meanInterval({ n: 20, sum: 0n, sumOfSquares: 0n, unit: 8 })).toEqual(wilson(0, 20));
});

test('no image has no mean, one image no interval', () => {
  expect(meanOf({ n: 0, sum: 0n, sumOfSquares: 0n, unit: 4 })).toBeNull();
  expect(meanInterval({ n: 0, sum: 0n, sumOfSquares: 0n, unit: 4 })).toBeNull();
  expect(meanOf({ n: 1, sum: 3n, sumOfSquares: 9n, unit: 4 })).toBe(0.75);
  expect(meanInterval({ n: 1, sum: 3n, sumOfSquares: 9n, unit: 4 })).toBeNull();
});

test('a tiny spread around a large mean is not lost', () => {
  // Ten million images at 10^12, one of them at 10^12 + 1: s² = (n × 1 − 1²) / (n (n − 1)) = 1/n
  const n = 10_000_000n;
  const x = 10n ** 12n;
  const sums = {
    n: Number(n),
    sum: n * x + 1n,
    sumOfSquares: (n - 1n) * x * x + (x + 1n) * (x + 1n),
    unit: 1,
  };
  expect(standardDeviation(sums)).toBeCloseTo(Math.sqrt(1e-7), 15);
});

test('sums that no images have are refused', () => {
  expect(() => standardDeviation({ n: 2, sum: 2n, sumOfSquares: 1n, unit: 1 })).toThrow(RangeError);
});

test('the bound on a dead filter', () => {
  expect(deadBound(1)).toBeCloseTo(0.95, 12); // 1 − 0.05
  expect(deadBound(2)).toBeCloseTo(1 - Math.sqrt(0.05), 12);
  expect(deadBound(58)).toBeGreaterThan(0.05); // 59 is the known sample size for "95 % sure of 95 %"
  expect(deadBound(59)).toBeLessThan(0.05);
  expect(deadBound(10_000_000) * 10_000_000).toBeCloseTo(2.9957323 - 2.9957323 ** 2 / 2e7, 6); // −ln 0.05, the rule of three
  expect(deadBound(0)).toBe(1);
});
