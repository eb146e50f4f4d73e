import { filterCount, type LayerShape } from './readings.ts';
import { addSquare, addValue, createWideSums, type WideSums } from './wide-sums.ts';

/** Pairs that one call adds at most: a block's squares are summed in doubles, which are exact so far. */
const MAX_BLOCK = 2 ** 20;

/**
 * What is known about the same images measured twice, once in each of two runs. Integers throughout, differences second
 * minus first. `[filter]` runs over all filters, the layers one after the other.
 */
export interface PairedSums {
  readonly layers: readonly LayerShape[];
  pairs: number;
  /** Pairs in which the filter is blank in the first, in the second, and in both `[filter]`. */
  readonly blankA: Float64Array;
  readonly blankB: Float64Array;
  readonly blankBoth: Float64Array;
  /** Sums of zeros in the first, of the differences, and of their squares `[filter]`. */
  readonly zerosA: Float64Array;
  readonly zerosDifference: Float64Array;
  readonly zerosDifferenceSquares: WideSums;
  /** The same for the image's number of blank filters `[layer]`. */
  readonly layerBlankA: Float64Array;
  readonly layerBlankDifference: Float64Array;
  readonly layerBlankDifferenceSquares: Float64Array;
  /** The same for the image's zeros in all of a layer's filters `[layer]`. */
  readonly layerZerosA: Float64Array;
  readonly layerZerosDifference: Float64Array;
  readonly layerZerosDifferenceSquares: WideSums;
}

export function createPairedSums(layers: readonly LayerShape[]): PairedSums {
  const filters = filterCount(layers);
  return {
    layers,
    pairs: 0,
    blankA: new Float64Array(filters),
    blankB: new Float64Array(filters),
    blankBoth: new Float64Array(filters),
    zerosA: new Float64Array(filters),
    zerosDifference: new Float64Array(filters),
    zerosDifferenceSquares: createWideSums(filters),
    layerBlankA: new Float64Array(layers.length),
    layerBlankDifference: new Float64Array(layers.length),
    layerBlankDifferenceSquares: new Float64Array(layers.length),
    layerZerosA: new Float64Array(layers.length),
    layerZerosDifference: new Float64Array(layers.length),
    layerZerosDifferenceSquares: createWideSums(layers.length),
  };
}

/**
 * Adds a block of pairs.
 * @param a zeros in the first run `[pair, filter]` @param b in the second
 * @throws RangeError when the two are not of as many pairs, or of more than 2^20.
 */
export function addPairs(sums: PairedSums, a: Uint16Array, b: Uint16Array): void {
  const filters = sums.blankA.length;
  const pairs = a.length / filters;
  if (!Number.isInteger(pairs) || a.length !== b.length || pairs > MAX_BLOCK) {
    throw new RangeError(`${a.length} and ${b.length} readings are no pairs of ${filters} filters`);
  }
  const squares = new Float64Array(filters);
  for (let start = 0; start < a.length; start += filters) {
    let filter = 0;
    for (const [layer, shape] of sums.layers.entries()) {
      const { positions } = shape;
      let blankA = 0;
      let blankB = 0;
      let zerosA = 0;
      let zerosB = 0;
      for (const end = filter + shape.filters; filter < end; filter++) {
        const first = a[start + filter];
        const second = b[start + filter];
        const difference = second - first;
        zerosA += first;
        zerosB += second;
        sums.zerosA[filter] += first;
        sums.zerosDifference[filter] += difference;
        squares[filter] += difference * difference;
        if (first === positions) {
          blankA += 1;
          sums.blankA[filter] += 1;
          if (second === positions) sums.blankBoth[filter] += 1;
        }
        if (second === positions) {
          blankB += 1;
          sums.blankB[filter] += 1;
        }
      }
      sums.layerBlankA[layer] += blankA;
      sums.layerBlankDifference[layer] += blankB - blankA;
      sums.layerBlankDifferenceSquares[layer] += (blankB - blankA) ** 2;
      sums.layerZerosA[layer] += zerosA;
      sums.layerZerosDifference[layer] += zerosB - zerosA;
      addSquare(sums.layerZerosDifferenceSquares, layer, Math.abs(zerosB - zerosA));
    }
  }
  for (let filter = 0; filter < filters; filter++)
    addValue(sums.zerosDifferenceSquares, filter, squares[filter]);
  sums.pairs += pairs;
}
