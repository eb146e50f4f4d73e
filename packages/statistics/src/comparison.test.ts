import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addReadings, createAccumulator } from './accumulator.ts';
import {
  arbitraryImages,
  FOUR_IMAGES,
  readingsOf,
  SMALL_LAYERS,
  type SmallImage,
} from './arbitrary-readings.ts';
import { compareIndependent, comparePaired, comparisonRows, type Compared } from './comparison.ts';
import { fisherLogP, mcnemarLogP } from './exact-tests.ts';
import { meanDifference, pairedMeanDifference } from './mean-differences.ts';
import { addPairs, createPairedSums } from './paired-sums.ts';
import { pairedRateDifferenceInterval, rateDifferenceInterval } from './rate-differences.ts';

function accumulate(images: readonly SmallImage[], layers = SMALL_LAYERS) {
  const accumulator = createAccumulator(layers);
  for (const image of images) addReadings(accumulator, image, image.readings);
  return accumulator;
}

const zerosOf = (images: readonly SmallImage[]) =>
  Uint16Array.from(images.flatMap(({ readings }) => [...readings.zeros]));
const FILTERS = [
  { layer: 'wide', filter: 0, positions: 4 },
  { layer: 'wide', filter: 1, positions: 4 },
  { layer: 'deep', filter: 0, positions: 2 },
];
const LAYERS = [
  { layer: 'wide', from: 0, to: 2, positions: 4 },
  { layer: 'deep', from: 2, to: 3, positions: 2 },
];
const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const sumsOf = (values: readonly number[], unit: number) => ({
  n: values.length,
  sum: BigInt(total(values)),
  sumOfSquares: BigInt(total(values.map((value) => value * value))),
  unit,
});
const blankIn = (images: readonly SmallImage[], filter: number, positions: number) =>
  images.map(({ readings }) => (readings.zeros[filter] === positions ? 1 : 0));
const zerosIn = (images: readonly SmallImage[], from: number, to: number) =>
  images.map(({ readings }) => total([...readings.zeros.subarray(from, to)]));
const blankFiltersIn = (images: readonly SmallImage[], { from, to, positions }: (typeof LAYERS)[number]) =>
  images.map(
    ({ readings }) => [...readings.zeros.subarray(from, to)].filter((zeros) => zeros === positions).length,
  );
const close = (value: number) => expect.closeTo(value, 10) as number;

test('independent samples: what sums say is what the images say one by one', () => {
  const some = arbitraryImages.filter((images) => images.length > 1);
  fc.assert(
    fc.property(some, some, (a, b) => {
      const { layers, filters } = compareIndependent(accumulate(a), accumulate(b), SMALL_LAYERS);
      for (const [i, { layer, filter, positions }] of FILTERS.entries()) {
        const [inA, inB] = [total(blankIn(a, i, positions)), total(blankIn(b, i, positions))];
        const counted = [
          { successes: inA, n: a.length },
          { successes: inB, n: b.length },
        ] as const;
        const [zerosA, zerosB] = [zerosIn(a, i, i + 1), zerosIn(b, i, i + 1)];
        expect(filters[i]).toEqual({
          layer,
          filter,
          blank: {
            a: inA / a.length,
            b: inB / b.length,
            difference: inB / b.length - inA / a.length,
            ...rateDifferenceInterval(...counted),
            logP: fisherLogP(inA, a.length, inB, b.length),
          },
          zeros: meansOf(zerosA, zerosB, positions),
        });
      }
      for (const [i, place] of LAYERS.entries()) {
        const { layer, from, to, positions } = place;
        const unit = (to - from) * positions;
        expect(layers[i]).toEqual({
          layer,
          blank: meansOf(blankFiltersIn(a, place), blankFiltersIn(b, place), to - from),
          zeros: meansOf(zerosIn(a, from, to), zerosIn(b, from, to), unit),
        });
      }
    }),
  );
});

function meansOf(a: readonly number[], b: readonly number[], unit: number) {
  const [meanA, meanB] = [total(a) / (a.length * unit), total(b) / (b.length * unit)];
  return {
    a: meanA,
    b: meanB,
    difference: meanB - meanA,
    ...meanDifference(sumsOf(a, unit), sumsOf(b, unit)),
  };
}

test('pairs: what sums say is what the pairs say one by one, however they came', () => {
  fc.assert(
    fc.property(arbitraryImages, arbitraryImages, fc.nat(), (all, others, seed) => {
      const n = Math.min(all.length, others.length);
      fc.pre(n > 1);
      const [a, b] = [all.slice(0, n), others.slice(0, n)];
      const sums = createPairedSums(SMALL_LAYERS);
      const cut = seed % (n + 1);
      addPairs(sums, zerosOf(a.slice(0, cut)), zerosOf(b.slice(0, cut)));
      addPairs(sums, zerosOf(a.slice(cut)), zerosOf(b.slice(cut)));
      const { layers, filters } = comparePaired(sums);
      for (const [i, { layer, filter, positions }] of FILTERS.entries()) {
        const [inA, inB] = [blankIn(a, i, positions), blankIn(b, i, positions)];
        const both = inA.filter((blank, k) => blank === 1 && inB[k] === 1).length;
        const [onlyA, onlyB] = [total(inA) - both, total(inB) - both];
        expect(filters[i]).toEqual({
          layer,
          filter,
          blank: {
            a: total(inA) / n,
            b: total(inB) / n,
            difference: total(inB) / n - total(inA) / n,
            ...pairedRateDifferenceInterval({ both, onlyA, onlyB, neither: n - both - onlyA - onlyB }),
            logP: mcnemarLogP(onlyA, onlyB),
          },
          zeros: pairsOf(zerosIn(a, i, i + 1), zerosIn(b, i, i + 1), positions),
        });
      }
      for (const [i, place] of LAYERS.entries()) {
        const { layer, from, to, positions } = place;
        expect(layers[i]).toEqual({
          layer,
          blank: pairsOf(blankFiltersIn(a, place), blankFiltersIn(b, place), to - from),
          zeros: pairsOf(zerosIn(a, from, to), zerosIn(b, from, to), (to - from) * positions),
        });
      }
    }),
  );
});

function pairsOf(a: readonly number[], b: readonly number[], unit: number) {
  const differences = b.map((value, i) => value - a[i]);
  const { low, high, logP } = pairedMeanDifference(sumsOf(differences, unit));
  const mean = total(differences) / (a.length * unit);
  const [meanA, meanB] = [total(a) / (a.length * unit), total(b) / (a.length * unit)];
  return {
    a: meanA,
    b: meanB,
    difference: close(mean),
    low: close(low!),
    high: close(high!),
    logP: close(logP),
  };
}

test('layers are found by name where the runs measured others, too', () => {
  const deepOnly = FOUR_IMAGES.map(({ readings, ...image }) => ({
    ...image,
    readings: readingsOf([readings.zeros[2]], [readings.max[2]]),
  }));
  const deep = SMALL_LAYERS.slice(1);
  const { layers, filters } = compareIndependent(accumulate(FOUR_IMAGES), accumulate(deepOnly, deep), deep);
  expect(layers).toMatchObject([{ layer: 'deep', blank: { a: 0.5, b: 0.5, difference: 0, logP: 0 } }]);
  expect(filters).toMatchObject([
    { layer: 'deep', filter: 0, blank: { a: 0.5, b: 0.5 }, zeros: { difference: 0 } },
  ]);
  expect(() => compareIndependent(accumulate(deepOnly, deep), accumulate(FOUR_IMAGES), SMALL_LAYERS)).toThrow(
    'wide',
  );
});

const changes = (rows: readonly Compared[]) => comparisonRows(rows, 'bh').map(({ change }) => change);

test('a change is spoken of where it is significant in its family, and dead only where it is all', () => {
  const zeros = { a: 0, b: 0, difference: 0, low: 0, high: 0, logP: 0 };
  const of = (a: number, b: number, logP: number): Compared => ({
    layer: 'wide',
    blank: { a, b, difference: b - a, low: null, high: null, logP },
    zeros,
  });
  const sure = Math.log(0.001);
  const family = [
    of(0.2, 1, sure),
    of(1, 0.2, sure),
    of(0.2, 0.99, sure),
    of(0.9, 0, sure),
    of(0.2, 1, Math.log(0.06)),
  ];
  expect(changes(family)).toEqual(['newly-dead', 'revived', 'more-blank', 'less-blank', 'same']);
  expect(changes([of(0.5, 0.5, sure)])).toEqual(['same']);
  // the same p-value among ninety-nine others
  const crowd = Array.from({ length: 99 }, () => of(0.5, 0.6, 0));
  expect(changes([of(0.2, 1, sure), ...crowd])[0]).toBe('same');
  expect(comparisonRows([of(0.2, 1, -1e6), of(0.2, 1, sure)], 'by')[0].adjustedP).toBe(Number.MIN_VALUE);
});

test('readings that are no pairs are refused', () => {
  const sums = createPairedSums(SMALL_LAYERS);
  expect(() => addPairs(sums, new Uint16Array(3), new Uint16Array(6))).toThrow(RangeError);
  expect(() => addPairs(sums, new Uint16Array(4), new Uint16Array(4))).toThrow(RangeError);
});
