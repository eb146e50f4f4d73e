import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wilson } from './intervals.ts';
import { pairedRateDifferenceInterval, rateDifferenceInterval } from './rate-differences.ts';

// Newcombe 1998, Statistics in Medicine 17:873–890, table II, method 10; there first minus second.
test.each([
  [56, 70, 48, 80, 0.0524, 0.3339],
  [9, 10, 3, 10, 0.1705, 0.809],
  [6, 7, 2, 7, 0.0582, 0.8062],
  [5, 56, 0, 29, -0.0381, 0.1926],
  [0, 10, 0, 20, -0.1611, 0.2775],
  [0, 10, 0, 10, -0.2775, 0.2775],
  [10, 10, 0, 20, 0.6791, 1],
  [10, 10, 0, 10, 0.6075, 1],
])('%d/%d − %d/%d is as published', (first, nFirst, second, nSecond, low, high) => {
  const interval = rateDifferenceInterval({ successes: second, n: nSecond }, { successes: first, n: nFirst });
  expect(interval?.low).toBeCloseTo(low, 4);
  expect(interval?.high).toBeCloseTo(high, 4);
});

// First minus second, as printed there: Newcombe 1998, Statistics in Medicine 17:2635–2650, table II, method 10; StatsDirect's
// manual, "paired proportions", for the data of Armitage & Berry.
test.each([
  [36, 12, 2, 0, 0.0569, 0.3404, 4],
  [20, 12, 2, 16, 0.056156, 0.329207, 6],
])('paired %d %d %d %d is as published', (both, onlyFirst, onlySecond, neither, low, high, digits) => {
  const interval = pairedRateDifferenceInterval({ both, onlyA: onlySecond, onlyB: onlyFirst, neither });
  expect(interval?.low).toBeCloseTo(low, digits);
  expect(interval?.high).toBeCloseTo(high, digits);
});

const arbitraryCount = fc.nat({ max: 3_000_000 });

test('intervals hold the difference, stay within −1 … 1, and mirror when the two change places', () => {
  fc.assert(
    fc.property(
      arbitraryCount,
      arbitraryCount,
      arbitraryCount,
      arbitraryCount,
      (both, onlyA, onlyB, neither) => {
        const n = both + onlyA + onlyB + neither;
        fc.pre(n >= 2);
        const [a, b] = [
          { successes: both + onlyA, n },
          { successes: both + onlyB, n },
        ];
        const difference = (onlyB - onlyA) / n;
        const pairs = [
          [rateDifferenceInterval(a, b)!, rateDifferenceInterval(b, a)!],
          [
            pairedRateDifferenceInterval({ both, onlyA, onlyB, neither })!,
            pairedRateDifferenceInterval({ both, onlyA: onlyB, onlyB: onlyA, neither })!,
          ],
        ];
        for (const [interval, mirrored] of pairs) {
          expect(interval.low).toBeGreaterThanOrEqual(-1);
          expect(interval.low).toBeLessThanOrEqual(difference + 1e-12);
          expect(interval.high).toBeGreaterThanOrEqual(difference - 1e-12);
          expect(interval.high).toBeLessThanOrEqual(1);
          expect(mirrored.low).toBeCloseTo(-interval.high, 9);
        }
      },
    ),
  );
});

test('pairs that never differ, and too few', () => {
  // one side of the triangle is 0 at the end of the scale: Wilson's own limit remains
  const { high } = wilson(0, 50)!;
  for (const counts of [
    { both: 50, neither: 0 },
    { both: 0, neither: 50 },
  ]) {
    const interval = pairedRateDifferenceInterval({ ...counts, onlyA: 0, onlyB: 0 });
    expect(interval?.low).toBeCloseTo(-high, 12);
    expect(interval?.high).toBeCloseTo(high, 12);
  }
  expect(pairedRateDifferenceInterval({ both: 1, onlyA: 0, onlyB: 0, neither: 0 })).toBeNull();
  expect(rateDifferenceInterval({ successes: 1, n: 1 }, { successes: 3, n: 9 })).toBeNull();
});
