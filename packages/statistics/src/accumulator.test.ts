import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  addReadings,
  blankImages,
  createAccumulator,
  MAX_IMAGES,
  mergeAccumulators,
  type Accumulator,
} from './accumulator.ts';
import {
  arbitraryImages,
  FOUR_IMAGES,
  readingsOf,
  SMALL_LAYERS,
  type SmallImage,
} from './arbitrary-readings.ts';
import { toArrays } from './to-arrays.ts';
import { listTopImages } from './top-images.ts';
import { readSum } from './wide-sums.ts';

function accumulate(images: readonly SmallImage[], topK = 3): Accumulator {
  const accumulator = createAccumulator(SMALL_LAYERS, { topK });
  for (const image of images) addReadings(accumulator, image, image.readings);
  return accumulator;
}

test('four images by hand', () => {
  const four = accumulate(FOUR_IMAGES);
  expect(four.images).toBe(4);
  expect([0, 1, 2].map((filter) => blankImages(four, filter))).toEqual([3, 0, 2]);
  expect([...four.zeros]).toEqual([4 + 2 + 4 + 4, 1 + 0 + 2 + 1, 2 + 1 + 2 + 0]);
  expect([0, 1, 2].map((i) => readSum(four.zerosSquares, i))).toEqual([52n, 6n, 9n]); // 16+4+16+16, 1+4+1, 4+1+4
  // 2; 1.5 + 0.5 + 1.5 + 4; 3 + 1, in 2^−16
  expect([0, 1, 2].map((i) => readSum(four.max, i))).toEqual([2n << 16n, 15n << 15n, 4n << 16n]);
  // 4; 2.25 + 0.25 + 2.25 + 16 = 20.75 = 83/4; 9 + 1, in 2^−32
  expect([0, 1, 2].map((i) => readSum(four.maxSquares, i))).toEqual([4n << 32n, 83n << 30n, 10n << 32n]);
  expect([...four.largest]).toEqual([2, 4, 3]);
  expect(listTopImages(four.top, 1)).toEqual([
    { row: 7, max: 4, position: 0 },
    { row: 5, max: 1.5, position: 0 },
    { row: 9, max: 1.5, position: 2 },
  ]);
  expect(listTopImages(four.top, 0)).toEqual([{ row: 3, max: 2, position: 1 }]);
  expect(four.classes).toEqual(
    new Map([
      [0, { images: 2, blank: Uint32Array.of(2, 0, 2) }],
      [1, { images: 1, blank: Uint32Array.of(0, 0, 0) }],
    ]),
  );
  expect([...four.layerBlank]).toEqual([1 + 0 + 1 + 1, 1 + 0 + 1 + 0]);
  expect([...four.layerBlankSquares]).toEqual([3, 2]);
  expect([...four.layerZeros]).toEqual([5 + 2 + 6 + 5, 2 + 1 + 2 + 0]);
  expect([0, 1].map((i) => readSum(four.layerZerosSquares, i))).toEqual([90n, 9n]); // 25+4+36+25, 4+1+4
});

test('an image counts in each of its classes', () => {
  const [one, two] = FOUR_IMAGES;
  const both = accumulate([
    { ...one, classIds: [0, 2] },
    { ...two, classIds: [2] },
  ]);
  expect(both.images).toBe(2);
  expect(both.classes).toEqual(
    new Map([
      [0, { images: 1, blank: Uint32Array.of(1, 0, 1) }],
      [2, { images: 2, blank: Uint32Array.of(1, 0, 1) }],
    ]),
  );
  expect(() => addReadings(both, { row: 1, classIds: [1, 1] }, one.readings)).toThrow('twice');
  expect(both.images).toBe(2);
});

test('a maximum is summed to the nearest 2^-16', () => {
  const max = Math.fround(0.1);
  const accumulator = accumulate([
    { row: 0, classIds: [], readings: readingsOf([0, 0, 0], [max, 2 ** -18, 1]) },
  ]);
  expect(readSum(accumulator.max, 0)).toBe(6554n); // 6553.6
  expect(readSum(accumulator.maxSquares, 0)).toBe(6554n ** 2n);
  expect(readSum(accumulator.max, 1)).toBe(0n);
  expect(blankImages(accumulator, 1)).toBe(0);
});

test('any split, order and tree of merges gives the same state, bit by bit', () => {
  fc.assert(
    fc.property(arbitraryImages, fc.array(fc.nat(), { minLength: 60, maxLength: 60 }), (images, choices) => {
      let next = 0;
      const choose = (below: number) => choices[next++ % choices.length] % below;
      const shuffled = images
        .map((image) => ({ image, key: choose(1000) }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ image }) => image);
      const parts: SmallImage[][] = Array.from({ length: 1 + choose(6) }, () => []);
      for (const image of shuffled) parts[choose(parts.length)].push(image);
      const trees = parts.map((part) => accumulate(part));
      while (trees.length > 1) {
        const [from] = trees.splice(choose(trees.length), 1);
        mergeAccumulators(trees[choose(trees.length)], from);
      }
      const whole = accumulate(images);
      expect(toArrays(trees[0])).toStrictEqual(toArrays(whole));
      expect(trees[0]).toEqual(whole);
    }),
  );
});

test('merging leaves what is merged as it is, and shares nothing with it', () => {
  const into = accumulate([]);
  const from = accumulate(FOUR_IMAGES);
  mergeAccumulators(into, from);
  addReadings(into, { row: 20, classIds: [0] }, FOUR_IMAGES[0].readings);
  expect(from).toStrictEqual(accumulate(FOUR_IMAGES));
});

test('sums far beyond 2^53 stay exact up to the most images there may be', () => {
  // 4,882 images doubled eleven times: 9,998,336
  const layers = [{ layer: 'large', filters: 64, positions: 224 * 224 }];
  const accumulator = createAccumulator(layers, { topK: 0 });
  const expected = { zeros: 0n, zerosSquares: 0n, max: 0n, maxSquares: 0n, layerZeros: 0n, layerSquares: 0n };
  for (let row = 0; row < 4_882; row++) {
    const zeros = 50_175 - (row % 7);
    const max = 2 ** 24 - 1 - (row % 1000);
    const readings = readingsOf(Array<number>(64).fill(zeros), Array<number>(64).fill(max));
    addReadings(accumulator, { row, classIds: [] }, readings);
    expected.zeros += BigInt(zeros);
    expected.zerosSquares += BigInt(zeros) ** 2n;
    expected.max += BigInt(max) << 16n;
    expected.maxSquares += (BigInt(max) << 16n) ** 2n;
    expected.layerZeros += 64n * BigInt(zeros);
    expected.layerSquares += (64n * BigInt(zeros)) ** 2n;
  }
  for (let doubling = 0; doubling < 11; doubling++) {
    mergeAccumulators(accumulator, structuredClone(accumulator));
  }
  expect(accumulator.images).toBe(9_998_336);
  expect(BigInt(accumulator.zeros[63])).toBe(expected.zeros << 11n);
  expect(readSum(accumulator.zerosSquares, 63)).toBe(expected.zerosSquares << 11n);
  expect(readSum(accumulator.max, 63)).toBe(expected.max << 11n);
  expect(readSum(accumulator.maxSquares, 63)).toBe(expected.maxSquares << 11n);
  expect(BigInt(accumulator.layerZeros[0])).toBe(expected.layerZeros << 11n);
  expect(readSum(accumulator.layerZerosSquares, 0)).toBe(expected.layerSquares << 11n);
  expect(readSum(accumulator.layerZerosSquares, 0)).toBeGreaterThan(2n ** 64n);
});

test('what is refused changes nothing', () => {
  const accumulator = accumulate(FOUR_IMAGES);
  const before = structuredClone(accumulator);
  const { readings } = FOUR_IMAGES[0];
  const infinite = readingsOf([4, 1, 1], [0, 1, Infinity]);
  expect(() => addReadings(accumulator, { row: 1, classIds: [0] }, infinite)).toThrow('deep/0');
  expect(() => addReadings(accumulator, { row: -1, classIds: [0] }, readings)).toThrow(RangeError);
  expect(() => addReadings(accumulator, { row: 2 ** 32, classIds: [0] }, readings)).toThrow(RangeError);
  expect(() => addReadings(accumulator, { row: 1, classIds: [-1] }, readings)).toThrow(RangeError);
  expect(() => mergeAccumulators(accumulator, accumulate([], 4))).toThrow('top-k');
  const others = SMALL_LAYERS.map((layer) => ({ ...layer, layer: `${layer.layer}2` }));
  expect(() => mergeAccumulators(accumulator, createAccumulator(others, { topK: 3 }))).toThrow('layers');
  const full = { ...accumulate([]), images: MAX_IMAGES - 3 };
  expect(() => mergeAccumulators(accumulator, full)).toThrow('at most 10000000 images');
  expect(accumulator).toStrictEqual(before);
  expect(() => createAccumulator(SMALL_LAYERS, { topK: 1025 })).toThrow(RangeError);
});
