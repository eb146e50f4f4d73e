import { expect, test } from 'vitest';
import { wilson, type MeanSums } from './intervals.ts';
import { meanDifference, pairedMeanDifference } from './mean-differences.ts';
import { rateDifferenceInterval } from './rate-differences.ts';

const sum = (values: readonly number[]) => BigInt(values.reduce((a, b) => a + b, 0));

/** Sums of eighths. */
function sumsOf(values: readonly number[]): MeanSums {
  return { n: values.length, sum: sum(values), sumOfSquares: sum(values.map((x) => x * x)), unit: 8 };
}

test("Welch's interval and test agree with scipy 1.17's ttest_ind", () => {
  const { low, high, logP } = meanDifference(sumsOf([1, 0, 2, 5, 3]), sumsOf([4, 4, 3, 7, 1, 0, 8]));
  expect(low).toBeCloseTo(-0.18196767406517, 9);
  expect(high).toBeCloseTo(0.596253388350884, 9);
  expect(Math.exp(logP)).toBeCloseTo(0.262920143270512, 9);
});

test("paired differences agree with scipy 1.17's ttest_1samp", () => {
  const { low, high, logP } = pairedMeanDifference(sumsOf([0, -1, 2, 3, -2, 4]));
  expect(low).toBeCloseTo(-0.185427248642642, 9);
  expect(high).toBeCloseTo(0.435427248642642, 9);
  expect(Math.exp(logP)).toBeCloseTo(0.348066193925091, 9);
});

test('two samples without spread: as rates, and divided as by chance once in so many', () => {
  const [a, b] = [sumsOf([8, 8, 8, 8]), sumsOf([2, 2, 2])];
  const { low, high, logP } = meanDifference(a, b);
  const expected = rateDifferenceInterval({ successes: 4, n: 4 }, { successes: 0.75, n: 3 })!;
  expect(low).toBeCloseTo(expected.low, 12);
  expect(high).toBeCloseTo(expected.high, 12);
  expect(Math.exp(logP)).toBeCloseTo(2 / 35, 12); // 7 choose 3
  expect(meanDifference(a, a).logP).toBe(0);
});

test('one sample without spread has the uncertainty that Wilson gives it', () => {
  const dead = sumsOf([8, 8, 8, 8, 8, 8]);
  const b = sumsOf([3, 4, 3, 4, 3, 4]);
  const { low, high } = meanDifference(dead, b);
  const half = (2.5705818356363146 * Math.sqrt(0.3)) / Math.sqrt(6) / 8; // s² = 6 × 0.25 / 5
  const wilsonLow = 1 - wilson(6, 6)!.low;
  const difference = 3.5 / 8 - 1;
  expect(low).toBeCloseTo(difference - half, 9);
  expect(high).toBeCloseTo(difference + Math.hypot(half, wilsonLow), 9);
});

test('differences that are all equal', () => {
  const others = wilson(0, 5)!.high;
  expect(pairedMeanDifference(sumsOf([0, 0, 0, 0, 0]))).toEqual({ low: -others, high: others, logP: 0 });
  const all = pairedMeanDifference(sumsOf([-4, -4, -4, -4, -4]));
  expect(all.low).toBeCloseTo(-0.5 - others * 0.5, 12);
  expect(all.high).toBeCloseTo(-0.5 + others * 1.5, 12);
  expect(Math.exp(all.logP)).toBeCloseTo(2 / 32, 12);
});

test('one image has no interval, and tells nothing', () => {
  const nothing = { low: null, high: null, logP: 0 };
  expect(meanDifference(sumsOf([1]), sumsOf([1, 5, 6]))).toEqual(nothing);
  expect(pairedMeanDifference(sumsOf([3]))).toEqual(nothing);
});
