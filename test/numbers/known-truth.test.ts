import { expect, test } from 'vitest';
import { scoreComparisons, type Estimate } from './known-truth.ts';

/** `FILTERSCOPE_TEST=full` takes as many as are reported. */
const REPETITIONS = process.env['FILTERSCOPE_TEST'] === 'full' ? 200 : 20;

const SCORES = scoreComparisons(REPETITIONS);
/** One chance in a thousand for an estimate whose true value is at the bound. */
const Z = 3.09;
const atLeast = ({ mean, error }: Estimate, bound: number) =>
  expect(mean + Z * error).toBeGreaterThanOrEqual(bound);
const atMost = ({ mean, error }: Estimate, bound: number) =>
  expect(mean - Z * error).toBeLessThanOrEqual(bound);

test.each(SCORES)('$way: intervals hold the truth as often as they claim', ({ coverage, repetitions }) => {
  for (const [measured, estimate] of Object.entries(coverage)) {
    if (Number.isNaN(estimate.mean)) continue; // classes are told by blank rates of filters alone
    atLeast(estimate, 0.95);
    // and the intervals are no wider than they have to be, by the same margin
    if (measured.startsWith('layer')) atMost(estimate, 0.95 + Z * Math.sqrt((0.95 * 0.05) / repetitions));
  }
  expect(coverage['filter blank rates'].mean).toBeGreaterThan(0.94);
});

test.each(SCORES)('$way: no more false discoveries than stated', ({ falseShare }) => {
  for (const estimate of Object.values(falseShare)) if (!Number.isNaN(estimate.mean)) atMost(estimate, 0.05);
});

test.each(SCORES)('$way: the filters that differ are found, and called what they are', ({ found, named }) => {
  expect(found.mean).toBeGreaterThan(0.9);
  if (!Number.isNaN(named.mean)) expect(named.mean).toBe(found.mean);
});
