import { expect, test } from 'vitest';
import { logChoose, logGamma } from './log-gamma.ts';

// mpmath 1.3, 40 digits.
test.each([
  [0.5, 0.5723649429247001],
  [1, 0],
  [1.5, -0.12078223763524522],
  [2.5, 0.2846828704729192],
  [10, 12.80182748008147],
  [100.25, 360.2845596377642],
  [1e6, 12_815_504.56914761],
])('ln Γ(%d)', (x, expected) => {
  expect(Math.abs(logGamma(x) - expected)).toBeLessThanOrEqual(4e-15 * Math.max(1, Math.abs(expected)));
});

test('ways to choose', () => {
  expect(Math.exp(logChoose(5, 2))).toBeCloseTo(10, 12);
  expect(logChoose(7, 0)).toBe(0);
  expect(logChoose(7, 7)).toBe(0);
});
