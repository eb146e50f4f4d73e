import * as fc from 'fast-check';
import type { ReadImage } from './accumulator.ts';
import { filterCount, type LayerShape, type Readings } from './readings.ts';

/** Two layers small enough to compute by hand: two filters of 4 positions and one of 2. */
export const SMALL_LAYERS: readonly LayerShape[] = [
  { layer: 'wide', filters: 2, positions: 4 },
  { layer: 'deep', filters: 1, positions: 2 },
];

/** Readings of the given zeros and maxima; the mean is not what it would be, for nothing here depends on it. */
export function readingsOf(zeros: readonly number[], max: readonly number[], position?: number[]): Readings {
  return {
    zeros: Uint16Array.from(zeros),
    max: Float32Array.from(max),
    mean: new Float32Array(max.length),
    position: Uint16Array.from(position ?? max.map(() => 0)),
  };
}

/** An image with its readings. */
export interface SmallImage extends ReadImage {
  readonly readings: Readings;
}

// Few values, so that ties are common; among them the smallest, bin edges, and squares on both sides of 2^53.
const MAXIMA = [0, 0, 2 ** -149, 2 ** -17, 0.5, 0.7, 1, 3.7, 1023.99, 1024, 12_345.678, 2 ** 24 - 1];

/** Images of {@link SMALL_LAYERS} in different rows, in any of the classes 0 … 2. */
export const arbitraryImages: fc.Arbitrary<SmallImage[]> = fc.uniqueArray(
  fc
    .record({
      row: fc.integer({ min: 0, max: 40 }),
      classIds: fc.uniqueArray(fc.integer({ min: 0, max: 2 })),
      filters: fc.array(
        fc.record({ max: fc.constantFrom(...MAXIMA), zeros: fc.nat(), position: fc.nat({ max: 1 }) }),
        { minLength: filterCount(SMALL_LAYERS), maxLength: filterCount(SMALL_LAYERS) },
      ),
    })
    .map(({ row, classIds, filters }) => {
      const positions = SMALL_LAYERS.flatMap((layer) => Array<number>(layer.filters).fill(layer.positions));
      const zeros = filters.map(({ max, zeros }, i) => (max === 0 ? positions[i] : zeros % positions[i]));
      const max = filters.map((filter) => filter.max);
      const position = filters.map((filter) => (filter.max === 0 ? 0 : filter.position));
      return { row, classIds, readings: readingsOf(zeros, max, position) };
    }),
  { selector: ({ row }) => row, maxLength: 14 },
);

/** Four images whose statistics are worked out in the tests. */
export const FOUR_IMAGES: readonly SmallImage[] = [
  { row: 5, classIds: [0], readings: readingsOf([4, 1, 2], [0, 1.5, 0]) },
  { row: 3, classIds: [1], readings: readingsOf([2, 0, 1], [2, 0.5, 3], [1, 3, 1]) },
  { row: 9, classIds: [0], readings: readingsOf([4, 2, 2], [0, 1.5, 0], [0, 2, 0]) },
  { row: 7, classIds: [], readings: readingsOf([4, 1, 0], [0, 4, 1]) },
];
