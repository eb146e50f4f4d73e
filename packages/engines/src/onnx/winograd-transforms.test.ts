import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  INPUT_TRANSFORM,
  inputTaps,
  OUTPUT_TRANSFORM,
  POINTS,
  TILE,
  transformKernels,
} from './winograd-transforms.ts';

const numbers = (length: number) =>
  fc.array(fc.integer({ min: -100, max: 100 }), { minLength: length, maxLength: length });

test('a tile of 4×4 outputs is that of the convolution itself', () => {
  fc.assert(
    fc.property(numbers(36), numbers(9), (inputs, kernel) => {
      const points = new Float32Array(36);
      transformKernels(Float32Array.from(kernel), 1, 1, points);
      const d = Array.from({ length: POINTS }, (_, row) => inputs.slice(row * POINTS, (row + 1) * POINTS));
      const transformed = product(product(INPUT_TRANSFORM, d), transpose(INPUT_TRANSFORM));
      const m = transformed.map((row, i) => row.map((value, j) => value * points[j * POINTS + i]));
      const outputs = product(product(OUTPUT_TRANSFORM, m), transpose(OUTPUT_TRANSFORM));
      for (let row = 0; row < TILE; row++) {
        for (let column = 0; column < TILE; column++) {
          let direct = 0;
          for (let tap = 0; tap < 9; tap++)
            direct += kernel[tap] * d[row + Math.floor(tap / 3)][column + (tap % 3)];
          expect(Math.abs(outputs[row][column] - direct)).toBeLessThan(0.1); // of sums up to 90,000
        }
      }
    }),
  );
});

test.each([undefined, 0] as const)('taps beginning at %s are the rows of the input transform', (first) => {
  const rows = inputTaps(first).map(({ first, weights, dilation, extent }) => {
    expect(extent).toBe((weights.length - 1) * dilation + 1);
    const row = Array.from({ length: POINTS }, () => 0);
    for (const [i, weight] of weights.entries()) row[first + i * dilation] = weight;
    return row;
  });
  expect(rows).toEqual(INPUT_TRANSFORM);
});

type Matrix = readonly (readonly number[])[];
const transpose = (matrix: Matrix): Matrix => matrix[0].map((_, i) => matrix.map((row) => row[i]));
const product = (a: Matrix, b: Matrix): number[][] =>
  a.map((row) => transpose(b).map((column) => row.reduce((sum, value, i) => sum + value * column[i], 0)));
