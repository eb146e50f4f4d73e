import { checkLayers } from './check-layers.ts';
import { binOfBits, BLANK_BIN, HISTOGRAM_BINS } from './histogram.ts';
import { readingsProblem } from './readings-problem.ts';
import { filterCount, type LayerShape, type Readings } from './readings.ts';
import { createTopImages, mergeTopImages, offerImage, type TopImages } from './top-images.ts';
import { addSquare, addValue, addWideSums, createWideSums, type WideSums } from './wide-sums.ts';

/** Images that one accumulator may hold: sums, and counts of 32 bits, are good for at least these. */
export const MAX_IMAGES = 10_000_000;

/**
 * Fixed-point units in 1 of a maximum: a maximum is rounded to a multiple of 2^−16 before it is summed, and its square
 * is the square of that multiple. Integers, so that no order of adding changes a sum.
 */
export const MAX_UNITS = 2 ** 16;

/** The images of one class. */
export interface ClassCounts {
  images: number;
  /** Images of the class on which each filter is blank `[filter]`. */
  readonly blank: Uint32Array;
}

/**
 * What is known about every filter over a set of images. Every sum is an integer and every choice has a total
 * order: the state depends on the set alone, bit by bit, not on how it was split, ordered or merged.
 * `[filter]` runs over all filters, the layers one after the other.
 */
export interface Accumulator {
  readonly layers: readonly LayerShape[];
  images: number;
  /** Sums over images of a filter's zeros `[filter]`. */
  readonly zeros: Float64Array;
  readonly zerosSquares: WideSums;
  /** Sums over images of a filter's maximum in 1 / {@link MAX_UNITS} `[filter]`. */
  readonly max: WideSums;
  readonly maxSquares: WideSums;
  /** Largest maximum over images `[filter]`. */
  readonly largest: Float32Array;
  /** Images by bin of the maximum `[filter, bin]`; bin 0 counts those on which the filter is blank. */
  readonly histogram: Uint32Array;
  readonly top: TopImages;
  /** By index in the run's class list. An image is in each of its classes, without any in none. */
  readonly classes: Map<number, ClassCounts>;
  /** Sums over images of the image's number of blank filters `[layer]`, and of its square. */
  readonly layerBlank: Float64Array;
  readonly layerBlankSquares: Float64Array;
  /** Sums over images of the image's zeros in all of a layer's filters `[layer]`. */
  readonly layerZeros: Float64Array;
  readonly layerZerosSquares: WideSums;
}

/**
 * An accumulator of no images.
 * @param options.topK strongest images to keep for each filter, `0 … 1024`; 16 unless told.
 * @throws RangeError for layers that cannot be counted (see `checkLayers`).
 */
export function createAccumulator(
  layers: readonly LayerShape[],
  options: { readonly topK?: number } = {},
): Accumulator {
  const { topK = 16 } = options;
  checkLayers(layers);
  if (!isCount(topK) || topK > 1024) throw new RangeError(`top-k must be 0 … 1024, not ${topK}`);
  const filters = filterCount(layers);
  return {
    layers,
    images: 0,
    zeros: new Float64Array(filters),
    zerosSquares: createWideSums(filters),
    max: createWideSums(filters),
    maxSquares: createWideSums(filters),
    largest: new Float32Array(filters),
    histogram: new Uint32Array(filters * HISTOGRAM_BINS),
    top: createTopImages(filters, topK),
    classes: new Map(),
    layerBlank: new Float64Array(layers.length),
    layerBlankSquares: new Float64Array(layers.length),
    layerZeros: new Float64Array(layers.length),
    layerZerosSquares: createWideSums(layers.length),
  };
}

/** Which image readings belong to. */
export interface ReadImage {
  /** Manifest row, `0 … 2^32 − 1`. Adding a row twice counts the image twice. */
  readonly row: number;
  /** Indices in the run's class list, each at most once. */
  readonly classIds: readonly number[];
}

/**
 * Adds one image.
 * @throws RangeError, before anything is changed, for readings that have a problem (see `readingsProblem`), for a row
 * or class that cannot be, and for more than {@link MAX_IMAGES} images.
 */
export function addReadings(accumulator: Accumulator, image: ReadImage, readings: Readings): void {
  const problem = readingsProblem(accumulator.layers, readings);
  if (problem !== null) throw new RangeError(problem);
  checkImage(image);
  addImages(accumulator, 1);
  const classes = image.classIds.map((classId) => classCounts(accumulator, classId));
  for (const ofClass of classes) ofClass.images += 1;
  const { zeros, max, position } = readings;
  const maxBits = new Uint32Array(max.buffer, max.byteOffset, max.length);
  let filter = 0;
  for (const [layer, { filters }] of accumulator.layers.entries()) {
    let layerBlank = 0;
    let layerZeros = 0;
    for (const end = filter + filters; filter < end; filter++) {
      accumulator.zeros[filter] += zeros[filter];
      layerZeros += zeros[filter];
      addValue(accumulator.zerosSquares, filter, zeros[filter] * zeros[filter]);
      if (max[filter] === 0) {
        accumulator.histogram[filter * HISTOGRAM_BINS + BLANK_BIN] += 1;
        layerBlank += 1;
        for (const ofClass of classes) ofClass.blank[filter] += 1;
        continue;
      }
      const units = Math.round(max[filter] * MAX_UNITS); // below 2^40; the product is exact
      addValue(accumulator.max, filter, units);
      addSquare(accumulator.maxSquares, filter, units);
      if (max[filter] > accumulator.largest[filter]) accumulator.largest[filter] = max[filter];
      accumulator.histogram[filter * HISTOGRAM_BINS + binOfBits(maxBits[filter])] += 1;
      offerImage(accumulator.top, filter, max[filter], image.row, position[filter]);
    }
    accumulator.layerBlank[layer] += layerBlank;
    accumulator.layerBlankSquares[layer] += layerBlank * layerBlank;
    accumulator.layerZeros[layer] += layerZeros;
    addSquare(accumulator.layerZerosSquares, layer, layerZeros);
  }
}

/**
 * Adds the images of `from`, which stays as it is, to `into`. The two must have no image in common.
 * @throws RangeError, before anything is changed, for other layers, another top-k, or more than {@link MAX_IMAGES} images.
 */
export function mergeAccumulators(into: Accumulator, from: Accumulator): void {
  checkSameShape(into, from);
  addImages(into, from.images);
  addCounts(into.zeros, from.zeros);
  addWideSums(into.zerosSquares, from.zerosSquares);
  addWideSums(into.max, from.max);
  addWideSums(into.maxSquares, from.maxSquares);
  for (let i = 0; i < into.largest.length; i++) {
    if (from.largest[i] > into.largest[i]) into.largest[i] = from.largest[i];
  }
  addCounts(into.histogram, from.histogram);
  mergeTopImages(into.top, from.top);
  for (const [classId, counts] of from.classes) {
    const ofClass = classCounts(into, classId);
    ofClass.images += counts.images;
    addCounts(ofClass.blank, counts.blank);
  }
  addCounts(into.layerBlank, from.layerBlank);
  addCounts(into.layerBlankSquares, from.layerBlankSquares);
  addCounts(into.layerZeros, from.layerZeros);
  addWideSums(into.layerZerosSquares, from.layerZerosSquares);
}

/** Counts images in. @throws RangeError, before anything is changed, for more than {@link MAX_IMAGES}. */
export function addImages(accumulator: Accumulator, images: number): void {
  if (accumulator.images + images > MAX_IMAGES) {
    throw new RangeError(`statistics hold at most ${MAX_IMAGES} images`);
  }
  accumulator.images += images;
}

/** Images on which a filter, counted over all layers, is blank. */
export function blankImages(accumulator: Accumulator, filter: number): number {
  return accumulator.histogram[filter * HISTOGRAM_BINS + BLANK_BIN];
}

/** The counts of one class, made if there are none. */
export function classCounts(accumulator: Accumulator, classId: number): ClassCounts {
  const known = accumulator.classes.get(classId);
  if (known !== undefined) return known;
  const counts = { images: 0, blank: new Uint32Array(accumulator.zeros.length) };
  accumulator.classes.set(classId, counts);
  return counts;
}

function addCounts(into: Float64Array | Uint32Array, from: Float64Array | Uint32Array): void {
  for (let i = 0; i < into.length; i++) into[i] += from[i];
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

function checkImage({ row, classIds }: ReadImage): void {
  if (!isCount(row) || row >= 2 ** 32) throw new RangeError(`there is no manifest row ${row}`);
  for (const classId of classIds) {
    if (!isCount(classId) || classId >= 2 ** 31) throw new RangeError(`there is no class ${classId}`);
  }
  if (new Set(classIds).size < classIds.length) throw new RangeError('an image is twice in one class');
}

function checkSameShape(into: Accumulator, from: Accumulator): void {
  const shape = ({ layers, top }: Accumulator) =>
    JSON.stringify([top.size, layers.map(({ layer, filters, positions }) => [layer, filters, positions])]);
  if (shape(into) !== shape(from)) {
    throw new RangeError('statistics of other layers or another top-k cannot be merged');
  }
}
