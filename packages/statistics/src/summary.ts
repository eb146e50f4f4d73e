import { blankImages, MAX_UNITS, type Accumulator } from './accumulator.ts';
import { deadBound, meanInterval, meanOf, type MeanSums } from './intervals.ts';
import { halfWidthOfMean, halfWidthOfRate, moreImages, type HalfWidth } from './more-images.ts';
import { ONE_LOOK, rateInterval, type Reach } from './reach.ts';
import type { LayerShape } from './readings.ts';
import { readSum } from './wide-sums.ts';

/** One layer over a set of images. Rates and shares are fractions; their means run over images. */
export interface LayerSummary {
  readonly layer: string;
  readonly filters: number;
  /** Height × width of a filter's map. */
  readonly positions: number;
  readonly images: number;
  /** Mean share of the layer's filters that are blank on an image; null without images. */
  readonly blankRate: number | null;
  /** Ends of the 95 % interval from the spread between images; null below two images. */
  readonly blankRateLow: number | null;
  readonly blankRateHigh: number | null;
  /** Mean share of an image's activations in the layer that are 0; null without images. */
  readonly zeroShare: number | null;
  readonly zeroShareLow: number | null;
  readonly zeroShareHigh: number | null;
  /** Filters blank on every image. */
  readonly dead: number;
  /** What share of images a dead filter of the layer may still fire on; null without images. */
  readonly deadBound: number | null;
  /** Filters whose zero share is above 0.9. */
  readonly mostlyZero: number;
  /** Images that would bring both intervals to ±1 point, beyond those there are; null below two images. */
  readonly moreImages: number | null;
}

/** One filter over a set of images. */
export interface FilterSummary {
  readonly layer: string;
  /** Number within the layer. */
  readonly filter: number;
  readonly images: number;
  /** Images on which the filter is blank. */
  readonly blank: number;
  /** `blank / images`, null without images. */
  readonly blankRate: number | null;
  /** Ends of the 95 % interval, Wilson's; null below two images. */
  readonly blankRateLow: number | null;
  readonly blankRateHigh: number | null;
  /** Mean over images, null without any; its interval is null below two. */
  readonly zeroShare: number | null;
  readonly zeroShareLow: number | null;
  readonly zeroShareHigh: number | null;
  /** Largest activation on any image, null without images. */
  readonly maxActivation: number | null;
  /** Mean over images of the maximum, each rounded to 2^−16; null without images. */
  readonly meanMax: number | null;
  /** Blank on every image of at least one. */
  readonly dead: boolean;
  /** What share of images the filter may still fire on; null unless dead. */
  readonly deadBound: number | null;
  /** Images that would bring both intervals to ±1 point, beyond those there are; null below two images. */
  readonly moreImages: number | null;
}

/** A row for each layer, in network order. */
export function summarizeLayers(accumulator: Accumulator, reach: Reach = ONE_LOOK): LayerSummary[] {
  let start = 0;
  return accumulator.layers.map((shape, index) => {
    const row = summarizeLayer(accumulator, shape, index, start, reach);
    start += shape.filters;
    return row;
  });
}

/** A row for each filter, layer by layer. */
export function summarizeFilters(accumulator: Accumulator, reach: Reach = ONE_LOOK): FilterSummary[] {
  let start = 0;
  return accumulator.layers.flatMap((shape) => {
    const first = start;
    start += shape.filters;
    return Array.from({ length: shape.filters }, (_, filter) =>
      summarizeFilter(accumulator, shape, first, filter, reach),
    );
  });
}

/** The row of one filter. @param start number of the layer's first filter, counted over all layers. */
export function summarizeFilter(
  accumulator: Accumulator,
  { layer, positions }: LayerShape,
  start: number,
  filter: number,
  reach: Reach,
): FilterSummary {
  const { images } = accumulator;
  const index = start + filter;
  const blank = blankImages(accumulator, index);
  const blankRate = shareOfImages(blank, images, reach);
  const zeros = zerosSums(accumulator, index, positions);
  const zeroShare = meanInterval(zeros, reach.z(images), reach.least / images);
  const dead = isDead(accumulator, index);
  return {
    layer,
    filter,
    images,
    blank,
    blankRate: blankRate.share,
    blankRateLow: blankRate.low,
    blankRateHigh: blankRate.high,
    zeroShare: meanOf(zeros),
    zeroShareLow: zeroShare?.low ?? null,
    zeroShareHigh: zeroShare?.high ?? null,
    maxActivation: images === 0 ? null : accumulator.largest[index],
    meanMax: meanOf(maxSums(accumulator, index)),
    dead,
    deadBound: dead ? deadBound(images) : null,
    moreImages: moreImages(filterHalfWidths(accumulator, index, positions, reach), images),
  };
}

/** A share of `images` with its interval, which is null below two images; the share is null without any. */
export function shareOfImages(count: number, images: number, reach: Reach) {
  const interval = images < 2 ? null : rateInterval(count, images, reach);
  return {
    share: images === 0 ? null : count / images,
    low: interval?.low ?? null,
    high: interval?.high ?? null,
  };
}

/** Of a filter's blank rate and zero share. @param index the filter, counted over all layers. */
function filterHalfWidths(
  accumulator: Accumulator,
  index: number,
  positions: number,
  reach: Reach,
): HalfWidth[] {
  return [
    halfWidthOfRate(blankImages(accumulator, index), accumulator.images, reach),
    halfWidthOfMean(zerosSums(accumulator, index, positions), reach),
  ];
}

/** Half of the widest interval of each kind that a run shows. */
export interface Widest {
  /** Of the layers' blank rates and zero shares. */
  readonly layers: number;
  /** Of the filters'. */
  readonly filters: number;
}

/** Half of the widest intervals that `summarizeLayers` and `summarizeFilters` give, before they are clipped. */
export function widestIntervals(accumulator: Accumulator, reach: Reach): Widest {
  const { images } = accumulator;
  let layers = 0;
  let filters = 0;
  let start = 0;
  for (const [index, shape] of accumulator.layers.entries()) {
    for (const sums of [layerBlankSums(accumulator, index), layerZerosSums(accumulator, index)]) {
      layers = Math.max(layers, halfWidthOfMean(sums, reach)(images));
    }
    for (const end = start + shape.filters; start < end; start++) {
      for (const halfWidth of filterHalfWidths(accumulator, start, shape.positions, reach)) {
        filters = Math.max(filters, halfWidth(images));
      }
    }
  }
  return { layers, filters };
}

/** Sums over images of a filter's zero share. @param index the filter, counted over all layers. */
export function zerosSums(accumulator: Accumulator, index: number, positions: number): MeanSums {
  return {
    n: accumulator.images,
    sum: BigInt(accumulator.zeros[index]),
    sumOfSquares: readSum(accumulator.zerosSquares, index),
    unit: positions,
  };
}

/** Sums over images of the image's share of blank filters in a layer. @param index of the layer. */
export function layerBlankSums(accumulator: Accumulator, index: number): MeanSums {
  return {
    n: accumulator.images,
    sum: BigInt(accumulator.layerBlank[index]),
    sumOfSquares: BigInt(accumulator.layerBlankSquares[index]),
    unit: accumulator.layers[index].filters,
  };
}

/** Sums over images of the image's zero share in a layer. @param index of the layer. */
export function layerZerosSums(accumulator: Accumulator, index: number): MeanSums {
  const { filters, positions } = accumulator.layers[index];
  return {
    n: accumulator.images,
    sum: BigInt(accumulator.layerZeros[index]),
    sumOfSquares: readSum(accumulator.layerZerosSquares, index),
    unit: filters * positions,
  };
}

/** Sums over images of a filter's maximum. @param index the filter, counted over all layers. */
export function maxSums(accumulator: Accumulator, index: number): MeanSums {
  return {
    n: accumulator.images,
    sum: readSum(accumulator.max, index),
    sumOfSquares: readSum(accumulator.maxSquares, index),
    unit: MAX_UNITS,
  };
}

function summarizeLayer(
  accumulator: Accumulator,
  { layer, filters, positions }: LayerShape,
  index: number,
  start: number,
  reach: Reach,
): LayerSummary {
  const { images } = accumulator;
  const blank = layerBlankSums(accumulator, index);
  const zeros = layerZerosSums(accumulator, index);
  const blankRate = meanInterval(blank, reach.z(images), reach.least / images);
  const zeroShare = meanInterval(zeros, reach.z(images), reach.least / images);
  let dead = 0;
  let mostlyZero = 0;
  for (let i = start; i < start + filters; i++) {
    if (isDead(accumulator, i)) dead++;
    // In integers: a share of exactly 0.9 is not above it.
    if (10 * accumulator.zeros[i] > 9 * images * positions) mostlyZero++;
  }
  return {
    layer,
    filters,
    positions,
    images,
    blankRate: meanOf(blank),
    blankRateLow: blankRate?.low ?? null,
    blankRateHigh: blankRate?.high ?? null,
    zeroShare: meanOf(zeros),
    zeroShareLow: zeroShare?.low ?? null,
    zeroShareHigh: zeroShare?.high ?? null,
    dead,
    deadBound: images === 0 ? null : deadBound(images),
    mostlyZero,
    moreImages: moreImages([halfWidthOfMean(blank, reach), halfWidthOfMean(zeros, reach)], images),
  };
}

function isDead(accumulator: Accumulator, index: number): boolean {
  return accumulator.images > 0 && blankImages(accumulator, index) === accumulator.images;
}
