import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addSquare,
  addValue,
  addWideSums,
  addWords,
  createWideSums,
  readSum,
  type WideSums,
} from './wide-sums.ts';

const arbitraryValue = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 40 - 1 }),
  fc.constantFrom(0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 26 - 1, 2 ** 26, 2 ** 40 - 1),
);

test('sums of values and squares are exact', () => {
  fc.assert(
    fc.property(fc.array(arbitraryValue, { maxLength: 50 }), (values) => {
      const sums = createWideSums(2);
      for (const value of values) {
        addValue(sums, 0, value);
        addSquare(sums, 1, value);
      }
      expect(readSum(sums, 0)).toBe(values.reduce((sum, value) => sum + BigInt(value), 0n));
      expect(readSum(sums, 1)).toBe(values.reduce((sum, value) => sum + BigInt(value) ** 2n, 0n));
    }),
  );
});

test('adding two sums is exact, and equal sums have equal limbs however they were made', () => {
  const arbitrarySum = fc.bigInt({ min: 0n, max: 2n ** 103n - 1n });
  fc.assert(
    fc.property(arbitrarySum, arbitrarySum, (a, b) => {
      const [left, right, whole] = [createWideSums(1), createWideSums(1), createWideSums(1)];
      addSum(left, 0, a);
      addSum(right, 0, b);
      addSum(whole, 0, a + b);
      addWideSums(left, right);
      expect(readSum(left, 0)).toBe(a + b);
      expect(left).toStrictEqual(whole);
    }),
  );
});

test('a sum takes the most that statistics give it: ten million squares of the largest maximum', () => {
  const largest = (2 ** 24 - 1) * 2 ** 16;
  const sums = createWideSums(1);
  addSum(sums, 0, (10_000_000n - 1n) * BigInt(largest) ** 2n);
  addSquare(sums, 0, largest);
  expect(readSum(sums, 0)).toBe(10_000_000n * BigInt(largest) ** 2n);
});

function addSum(sums: WideSums, index: number, value: bigint): void {
  const word = (at: bigint) => Number((value >> (32n * at)) & 0xffff_ffffn);
  addWords(sums, index, word(0n), word(1n), word(2n), word(3n));
}
