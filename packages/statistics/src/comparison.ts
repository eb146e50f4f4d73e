import { blankImages, type Accumulator } from './accumulator.ts';
import { adjustLogP, fromLogP, type Adjustment } from './adjust-p.ts';
import { fisherLogP, mcnemarLogP } from './exact-tests.ts';
import type { MeanSums } from './intervals.ts';
import { meanOf } from './intervals.ts';
import { meanDifference, pairedMeanDifference, type MeanDifference } from './mean-differences.ts';
import type { PairedSums } from './paired-sums.ts';
import { pairedRateDifferenceInterval, rateDifferenceInterval } from './rate-differences.ts';
import type { LayerShape } from './readings.ts';
import { layerBlankSums, layerZerosSums, zerosSums } from './summary.ts';
import { readSum } from './wide-sums.ts';

/** A difference is spoken of when its adjusted p-value is at most this. */
export const SIGNIFICANT = 0.05;

/** What became of a filter or layer between two runs; `same` where no difference is significant. */
export type Change = 'same' | 'more-blank' | 'less-blank' | 'newly-dead' | 'revived';

/** A value in two runs, `difference = b − a` with its 95 % interval, and ln p of its test. */
export interface Difference extends MeanDifference {
  readonly a: number;
  readonly b: number;
  readonly difference: number;
}

/** A filter or a layer in two runs. */
export interface Compared {
  readonly layer: string;
  /** Number within the layer; absent for the layer as a whole. */
  readonly filter?: number;
  readonly blank: Difference;
  readonly zeros: Difference;
}

/** A filter or layer of a comparison, its p-values adjusted over the family. Rates and shares are fractions. */
export interface ComparisonRow {
  readonly layer: string;
  readonly filter?: number;
  /** Blank rates. */
  readonly a: number;
  readonly b: number;
  readonly difference: number;
  /** Ends of the 95 % interval; null below two images. */
  readonly low: number | null;
  readonly high: number | null;
  readonly adjustedP: number;
  readonly change: Change;
  readonly zeroShareA: number;
  readonly zeroShareB: number;
  readonly zeroShareDifference: number;
  readonly zeroShareLow: number | null;
  readonly zeroShareHigh: number | null;
  readonly zeroShareAdjustedP: number;
}

/**
 * Two independent samples of images.
 * @param layers those to compare, which both have measured on at least one image
 */
export function compareIndependent(
  a: Accumulator,
  b: Accumulator,
  layers: readonly LayerShape[],
): { layers: Compared[]; filters: Compared[] } {
  const places = layers.map((shape) => ({ shape, a: placeOf(a, shape), b: placeOf(b, shape) }));
  return {
    layers: places.map(({ shape, a: inA, b: inB }) => ({
      layer: shape.layer,
      blank: betweenMeans(layerBlankSums(a, inA.index), layerBlankSums(b, inB.index)),
      zeros: betweenMeans(layerZerosSums(a, inA.index), layerZerosSums(b, inB.index)),
    })),
    filters: places.flatMap(({ shape, a: inA, b: inB }) =>
      Array.from({ length: shape.filters }, (_, filter) => {
        const [i, j] = [inA.start + filter, inB.start + filter];
        const blankA = { successes: blankImages(a, i), n: a.images };
        const blankB = { successes: blankImages(b, j), n: b.images };
        return {
          layer: shape.layer,
          filter,
          blank: {
            ...ends(blankA.successes / blankA.n, blankB.successes / blankB.n),
            ...(rateDifferenceInterval(blankA, blankB) ?? NO_INTERVAL),
            logP: fisherLogP(blankA.successes, blankA.n, blankB.successes, blankB.n),
          },
          zeros: betweenMeans(zerosSums(a, i, shape.positions), zerosSums(b, j, shape.positions)),
        };
      }),
    ),
  };
}

/** The same images twice. @param sums of at least one pair */
export function comparePaired(sums: PairedSums): { layers: Compared[]; filters: Compared[] } {
  const { pairs: n } = sums;
  let start = 0;
  const filters: Compared[] = [];
  const layers = sums.layers.map(({ layer, filters: count, positions }, index): Compared => {
    for (let filter = 0; filter < count; filter++)
      filters.push(pairedFilter(sums, layer, filter, start + filter, positions));
    start += count;
    const blank = {
      n,
      sum: BigInt(sums.layerBlankDifference[index]),
      sumOfSquares: BigInt(sums.layerBlankDifferenceSquares[index]),
      unit: count,
    };
    const zeros = {
      n,
      sum: BigInt(sums.layerZerosDifference[index]),
      sumOfSquares: readSum(sums.layerZerosDifferenceSquares, index),
      unit: count * positions,
    };
    return {
      layer,
      blank: withinPairs(sums.layerBlankA[index], blank),
      zeros: withinPairs(sums.layerZerosA[index], zeros),
    };
  });
  return { layers, filters };
}

function pairedFilter(
  sums: PairedSums,
  layer: string,
  filter: number,
  index: number,
  positions: number,
): Compared {
  const n = sums.pairs;
  const [a, b, both] = [sums.blankA[index], sums.blankB[index], sums.blankBoth[index]];
  const counts = { both, onlyA: a - both, onlyB: b - both, neither: n - a - b + both };
  const zeros = {
    n,
    sum: BigInt(sums.zerosDifference[index]),
    sumOfSquares: readSum(sums.zerosDifferenceSquares, index),
    unit: positions,
  };
  return {
    layer,
    filter,
    blank: {
      ...ends(a / n, b / n),
      ...(pairedRateDifferenceInterval(counts) ?? NO_INTERVAL),
      logP: mcnemarLogP(counts.onlyA, counts.onlyB),
    },
    zeros: withinPairs(sums.zerosA[index], zeros),
  };
}

/** One family of comparisons as rows, each of the two measures' p-values adjusted over it. */
export function comparisonRows(family: readonly Compared[], adjustment: Adjustment): ComparisonRow[] {
  const adjusted = (measure: 'blank' | 'zeros') =>
    adjustLogP(
      Float64Array.from(family, (compared) => compared[measure].logP),
      adjustment,
    );
  const [blankP, zerosP] = [adjusted('blank'), adjusted('zeros')];
  return family.map(({ blank, zeros, ...name }, i) => {
    const adjustedP = fromLogP(blankP[i]);
    return {
      ...name,
      a: blank.a,
      b: blank.b,
      difference: blank.difference,
      low: blank.low,
      high: blank.high,
      adjustedP,
      change: changeOf(blank, adjustedP),
      zeroShareA: zeros.a,
      zeroShareB: zeros.b,
      zeroShareDifference: zeros.difference,
      zeroShareLow: zeros.low,
      zeroShareHigh: zeros.high,
      zeroShareAdjustedP: fromLogP(zerosP[i]),
    };
  });
}

function changeOf({ a, b, difference }: Difference, adjustedP: number): Change {
  if (adjustedP > SIGNIFICANT || difference === 0) return 'same';
  if (difference > 0) return b === 1 ? 'newly-dead' : 'more-blank';
  return a === 1 ? 'revived' : 'less-blank';
}

const NO_INTERVAL = { low: null, high: null };

function ends(a: number, b: number) {
  return { a, b, difference: b - a };
}

function betweenMeans(a: MeanSums, b: MeanSums): Difference {
  return { ...ends(meanOf(a)!, meanOf(b)!), ...meanDifference(a, b) };
}

/** @param sumA of what is measured in the first */
function withinPairs(sumA: number, differences: MeanSums): Difference {
  const parts = differences.n * differences.unit;
  const a = sumA / parts;
  const b = (sumA + Number(differences.sum)) / parts; // exactly 1 where every part is 1
  return { a, b, difference: meanOf(differences)!, ...pairedMeanDifference(differences) };
}

function placeOf({ layers }: Accumulator, { layer }: LayerShape): { index: number; start: number } {
  const index = layers.findIndex((shape) => shape.layer === layer);
  if (index < 0) throw new RangeError(`${layer} is not among the layers measured`);
  const start = layers.slice(0, index).reduce((sum, { filters }) => sum + filters, 0);
  return { index, start };
}
