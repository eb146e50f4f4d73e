import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fisherLogP, mcnemarLogP } from './exact-tests.ts';

const relative = (value: number, expected: number) =>
  Math.abs(value - expected) / Math.max(1, Math.abs(expected));

// Twice the smaller tail, summed by mpmath 1.3 with 40 digits.
test.each([
  [3, 4, 1, 4, -0.722134717433198], // Fisher's tea: 17/35 in the upper tail alone gives 34/70
  [7, 34, 1, 34, -2.91138872631676],
  [500, 1000, 200, 1000, -103.522688571185],
  [900_000, 1_000_000, 100_000, 1_000_000, -736_133.474090679],
  [12_000, 1_000_000, 11_500, 1_000_000, -6.85098619175496],
  [1, 50, 0, 99_950, -6.90775527898214],
  [0, 5, 5, 1000, 0],
])('Fisher: %d of %d against %d of %d', (a, nA, b, nB, logP) => {
  expect(relative(fisherLogP(a, nA, b, nB), logP)).toBeLessThan(1e-7);
});

test("Fisher's tea: the upper tail of 3 of 4 right is 17/70 (Agresti 2002, 3.5.2)", () => {
  expect(Math.exp(fisherLogP(3, 4, 1, 4))).toBeCloseTo((2 * 17) / 70, 12);
});

test.each([
  [150, 86, -10.2002948294269], // approval of the prime minister: Agresti 2002, table 10.1, chi-square 17.36
  [12, 2, -4.34747425316722], // Armitage & Berry 1994, p. 127: exact two-sided 0.0129
  [1, 7, -2.6548056865834], // Bentur et al. 2009, in Fagerland et al. 2013: exact 0.0703
  [5000, 5100, -1.12521847600632],
  [600_000, 400_000, -20_140.8349471166],
  [100_000, 0, -69_314.024908814],
  [5, 5, 0],
  [0, 0, 0],
])('McNemar: %d against %d', (onlyA, onlyB, logP) => {
  expect(relative(mcnemarLogP(onlyA, onlyB), logP)).toBeLessThan(1e-7);
  expect(mcnemarLogP(onlyB, onlyA)).toBe(mcnemarLogP(onlyA, onlyB));
});

test('McNemar as printed', () => {
  expect(Math.exp(mcnemarLogP(12, 2))).toBeCloseTo(0.0129, 4);
  expect(Math.exp(mcnemarLogP(1, 7))).toBeCloseTo(0.0703, 4);
});

test('small tables: every tail added up term by term in whole numbers', () => {
  const size = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(size, size, fc.nat(), fc.nat(), (nA, nB, i, j) => {
      const [a, b] = [i % (nA + 1), j % (nB + 1)];
      const ways = (k: number) => choose(a + b, k) * choose(nA + nB - a - b, nA - k);
      const counts = Array.from({ length: nA + 1 }, (_, k) => ways(k));
      const total = choose(nA + nB, nA);
      const upper = sum(counts.slice(a)) / total;
      const lower = sum(counts.slice(0, a + 1)) / total;
      expect(Math.exp(fisherLogP(a, nA, b, nB))).toBeCloseTo(Math.min(1, 2 * Math.min(upper, lower)), 11);
      const n = a + b;
      const tails = Array.from({ length: n + 1 }, (_, k) => choose(n, k));
      const [up, low] = [sum(tails.slice(a)) / 2 ** n, sum(tails.slice(0, a + 1)) / 2 ** n];
      expect(Math.exp(mcnemarLogP(a, b))).toBeCloseTo(Math.min(1, 2 * Math.min(up, low)), 11);
    }),
  );
});

/** By Pascal's rule; exact for such numbers. */
function choose(n: number, k: number): number {
  if (k < 0 || k > n) return 0;
  let row = [1];
  for (let i = 0; i < n; i++) row = [1, ...row.map((value, j) => value + (row[j + 1] ?? 0))];
  return row[k];
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
