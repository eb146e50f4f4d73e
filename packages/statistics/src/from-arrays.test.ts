import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addReadings, createAccumulator, MAX_IMAGES, mergeAccumulators } from './accumulator.ts';
import { arbitraryImages, FOUR_IMAGES, SMALL_LAYERS } from './arbitrary-readings.ts';
import { fromArrays, mergeArrays } from './from-arrays.ts';
import type { StoredArray } from './stored-array.ts';
import { toArrays } from './to-arrays.ts';

test('what was stored comes back, bit by bit', () => {
  fc.assert(
    fc.property(arbitraryImages, fc.nat(4), (images, topK) => {
      const accumulator = createAccumulator(SMALL_LAYERS, { topK });
      for (const image of images) addReadings(accumulator, image, image.readings);
      const arrays = toArrays(accumulator);
      const back = fromArrays(SMALL_LAYERS, arrays);
      expect(back).toEqual(accumulator);
      expect(toArrays(back)).toStrictEqual(arrays);
    }),
  );
});

test('stored arrays merge as their accumulators do, and are left as they are', () => {
  fc.assert(
    fc.property(arbitraryImages, fc.nat(4), fc.nat(14), (images, topK, split) => {
      const [left, right, merged] = [
        createAccumulator(SMALL_LAYERS, { topK }),
        createAccumulator(SMALL_LAYERS, { topK }),
        createAccumulator(SMALL_LAYERS, { topK }),
      ];
      for (const [i, image] of images.entries()) {
        addReadings(i < split ? left : right, image, image.readings);
      }
      const arrays = toArrays(right);
      mergeArrays(merged, toArrays(left));
      mergeArrays(merged, arrays);
      expect(arrays).toStrictEqual(toArrays(right));
      mergeAccumulators(left, right);
      expect(merged).toEqual(left);
    }),
  );
});

test('arrays of another top-k, and more images than there may be, are refused', () => {
  expect(() => mergeArrays(createAccumulator(SMALL_LAYERS, { topK: 3 }), stored)).toThrow('top-k');
  const full = { ...createAccumulator(SMALL_LAYERS), images: MAX_IMAGES - 3 };
  expect(() => mergeArrays(full, stored)).toThrow('at most 10000000 images');
});

const four = createAccumulator(SMALL_LAYERS);
for (const image of FOUR_IMAGES) addReadings(four, image, image.readings);
const stored = toArrays(four);

test.each(Object.keys(stored))(
  'without %s, or with it in another dtype or shape, there is an error naming it',
  (name) => {
    const { [name]: array, ...rest } = stored;
    expect(() => fromArrays(SMALL_LAYERS, rest)).toThrow(`the array ${name} is missing`);
    const mistyped: StoredArray = { ...array, dtype: 'I32' };
    expect(() => fromArrays(SMALL_LAYERS, { ...rest, [name]: mistyped })).toThrow(
      `the array ${name} holds I32`,
    );
    const misread: StoredArray = { ...array, data: new Float64Array(array.data.length) };
    expect(() => fromArrays(SMALL_LAYERS, { ...rest, [name]: misread })).toThrow(`the array ${name} holds`);
    const longer: StoredArray = { ...array, shape: [...array.shape, 1] };
    expect(() => fromArrays(SMALL_LAYERS, { ...rest, [name]: longer })).toThrow(`the array ${name} has`);
    const short: StoredArray = { ...array, data: array.data.slice(1) };
    expect(() => fromArrays(SMALL_LAYERS, { ...rest, [name]: short })).toThrow(`the array ${name} has`);
  },
);

const u32 = (...values: number[]): StoredArray => ({
  dtype: 'U32',
  shape: [values.length],
  data: Uint32Array.from(values),
});

const u64 = (shape: readonly number[], ...values: bigint[]): StoredArray => ({
  dtype: 'U64',
  shape,
  data: BigUint64Array.from(values),
});

test.each<[string, Record<string, StoredArray>]>([
  ['images', { images: u32(4_000_000_000) }],
  ['layer.shape', { 'layer.shape': { dtype: 'U32', shape: [2, 2], data: Uint32Array.of(2, 4, 1, 3) } }],
  [
    'histogram.bin',
    { 'histogram.bin': { dtype: 'U8', shape: [8], data: Uint8Array.of(0, 200, 38, 44, 50, 0, 42, 48) } },
  ],
  [
    'histogram.bin',
    { 'histogram.bin': { dtype: 'U8', shape: [8], data: Uint8Array.of(0, 0, 38, 44, 50, 0, 42, 48) } },
  ],
  ['histogram.count', { 'histogram.count': u32(3, 2, 1, 2, 1, 2, 1, 1) }],
  ['top.value', { 'top.value': { dtype: 'F32', shape: [7], data: new Float32Array(7) } }],
  ['top.value', { 'top.value': { dtype: 'F32', shape: [7], data: Float32Array.of(2, 1, 2, 3, 4, 2, 1) } }],
  ['filter.zeros.sum', { 'filter.zeros.sum': u64([3], 0n, 0n, 2n ** 53n) }],
  ['filter.max.squares', { 'filter.max.squares': u64([2, 3], 0n, 0n, 0n, 0n, 0n, 2n ** 40n) }],
  ['class.id', { 'class.id': u32(1, 1) }],
  ['class.images', { 'class.images': u32(5, 1) }],
  ['class.images', { 'class.images': u32(2, 0) }],
  ['class.filter', { 'class.filter': { dtype: 'U16', shape: [2], data: Uint16Array.of(0, 3) } }],
  ['class.count', { 'class.count': u32(2, 3) }],
  ['other', { other: u32(1) }],
])('%s that no statistics of these layers have are refused', (name, wrong) => {
  expect(() => fromArrays(SMALL_LAYERS, { ...stored, ...wrong })).toThrow(`the array ${name} `);
});
