import { expect, test } from 'vitest';
import { addReadings, createAccumulator } from './accumulator.ts';
import { FOUR_IMAGES, readingsOf, SMALL_LAYERS } from './arbitrary-readings.ts';
import { toArrays } from './to-arrays.ts';

test('only bins, slots and classes with images are listed', () => {
  const accumulator = createAccumulator(SMALL_LAYERS, { topK: 2 });
  for (const image of FOUR_IMAGES) addReadings(accumulator, image, image.readings);
  const arrays = toArrays(accumulator);
  expect(arrays['histogram.entries'].data).toEqual(Uint8Array.of(2, 3, 3));
  // wide/0: blank, 2 (46 = 42 + 4 quarters); wide/1: 0.5, 1.5, 4; deep/0: blank, 1, 3
  expect(arrays['histogram.bin'].data).toEqual(Uint8Array.of(0, 46, 38, 44, 50, 0, 42, 48));
  expect(arrays['histogram.count'].data).toEqual(Uint32Array.of(3, 1, 1, 2, 1, 2, 1, 1));
  expect(arrays['top.value'].data).toEqual(Float32Array.of(2, 4, 1.5, 3, 1));
  expect(arrays['top.row'].data).toEqual(Uint32Array.of(3, 7, 5, 3, 7));
  expect(arrays['top.position'].data).toEqual(Uint16Array.of(1, 0, 0, 1, 0));
  expect(arrays['class.id'].data).toEqual(Uint32Array.of(0, 1));
  expect(arrays['class.images'].data).toEqual(Uint32Array.of(2, 1));
  expect(arrays['class.entries'].data).toEqual(Uint32Array.of(2, 0));
  expect(arrays['class.filter'].data).toEqual(Uint16Array.of(0, 2));
  expect(arrays['class.count'].data).toEqual(Uint32Array.of(2, 2));
  expect(arrays['layer.shape']).toEqual({ dtype: 'U32', shape: [2, 2], data: Uint32Array.of(2, 4, 1, 2) });
});

test('sums beyond 64 bits are in two words', () => {
  const accumulator = createAccumulator(SMALL_LAYERS);
  const max = 2 ** 24 - 1;
  addReadings(accumulator, { row: 0, classIds: [] }, readingsOf([0, 0, 0], [max, 1, 1]));
  const { shape, data } = toArrays(accumulator)['filter.max.squares'];
  // (2^24 − 1)² × 2^32 = (2^48 − 2^25 + 1) × 2^32 = (2^16 − 1) × 2^64 + (2^64 − 2^57 + 2^32)
  expect(shape).toEqual([2, 3]);
  expect([data[0], data[3]]).toEqual([2n ** 64n - 2n ** 57n + 2n ** 32n, 2n ** 16n - 1n]);
});
