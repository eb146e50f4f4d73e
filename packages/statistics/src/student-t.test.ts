import { expect, test } from 'vitest';
import { student95, studentLogP } from './student-t.ts';

// The density integrated by mpmath 1.3 with 40 digits.
test.each([
  [1, 1, Math.log(0.5)], // Cauchy: one half
  [2.5, 7.3, -3.2276584124926],
  [0.001, 30, -0.0007915774482932],
  [1.5, 99, -1.9892585363744],
  [50, 12.5, -34.652140980734],
  [1, 1e6, -1.1478737018822],
  [2, 1e6, -3.090031220098],
  [40, 1e6, -803.27517756798],
  [1000, 2e6, -405_472.03892337],
])('t = %d with %d degrees of freedom', (t, df, logP) => {
  const value = studentLogP(t, df);
  expect(Math.abs(value - logP)).toBeLessThan(1e-8 * Math.max(1, Math.abs(logP)));
});

test('the ends', () => {
  expect(studentLogP(0, 5)).toBe(0);
  expect(studentLogP(Infinity, 5)).toBe(-Infinity);
});

// scipy 1.17; 12.706, 2.571, 2.228, 2.042 and 1.984 are in every printed table.
test.each([
  [1, 12.706204736174694],
  [1.5, 6.016663104427929],
  [2, 4.302652729749462],
  [5, 2.5705818356363146],
  [10, 2.228138851986274],
  [30, 2.0422724563012378],
  [99, 1.9842169515864174],
  [100, 1.9839715185235518],
  [1000, 1.9623390808264083],
  [1e7, 1.959964221767205],
])('95 %% point with %d degrees of freedom', (df, t) => {
  expect(student95(df)).toBeCloseTo(t, 8);
});
