import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { adjustLogP, fromLogP } from './adjust-p.ts';

// Benjamini & Hochberg 1995, section 4.1: fifteen tests, of which their procedure finds the first four at 5 %.
const P = [
  0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
  0.759, 1,
];
const adjust = (p: readonly number[], adjustment: 'bh' | 'by') =>
  [...adjustLogP(Float64Array.from(p, Math.log), adjustment)].map(fromLogP);

test("Benjamini and Hochberg's example", () => {
  expect(adjust(P, 'bh').filter((p) => p <= 0.05)).toHaveLength(4);
  // scipy 1.17, false_discovery_control
  const bh = [
    0.0015, 0.003, 0.0095, 0.035625, 0.0603, 0.06385714, 0.06385714, 0.0645, 0.0765, 0.486, 0.5811818,
  ];
  for (const [i, p] of bh.entries()) expect(adjust(P, 'bh')[i]).toBeCloseTo(p, 7);
  const by = [0.004977343, 0.009954687, 0.03152318, 0.1182119, 0.2000892, 0.2118926, 0.2118926, 0.2140258];
  for (const [i, p] of by.entries()) expect(adjust(P, 'by')[i]).toBeCloseTo(p, 7);
});

test('what is found is what the step-up procedure finds, in any order', () => {
  const arbitraryP = fc.array(fc.constantFrom(1e-9, 0.001, 0.004, 0.01, 0.02, 0.02, 0.03, 0.2, 0.9, 1), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(arbitraryP, (p) => {
      // Benjamini & Hochberg 1995, (1): the largest k with p(k) ≤ k q / m
      const sorted = p.toSorted((a, b) => a - b);
      const k = sorted.findLastIndex((value, i) => value <= ((i + 1) * 0.05) / p.length);
      const found = p.map((value) => k >= 0 && value <= sorted[k]);
      expect(adjust(p, 'bh').map((value) => value <= 0.05 + 1e-12)).toEqual(found);
    }),
  );
});

test('p-values far below the smallest double keep their order, and none is 0', () => {
  const adjusted = adjustLogP(Float64Array.of(-1e6, -2e6, -3), 'bh');
  expect(adjusted[0]).toBeCloseTo(-1e6 + Math.log(1.5), 6);
  expect(adjusted[1]).toBeCloseTo(-2e6 + Math.log(3), 6);
  expect(fromLogP(adjusted[1])).toBe(5e-324);
  expect(fromLogP(Math.log(1e-300))).toBeCloseTo(1e-300, 310);
  expect(adjustLogP(new Float64Array(), 'by')).toHaveLength(0);
});
