import { addImages, classCounts, createAccumulator, MAX_IMAGES, type Accumulator } from './accumulator.ts';
import { BLANK_BIN, HISTOGRAM_BINS } from './histogram.ts';
import type { LayerShape } from './readings.ts';
import { F32, readArray, U16, U32, U64, U8, type StoredArray } from './stored-array.ts';
import { toArrays } from './to-arrays.ts';
import { offerImage } from './top-images.ts';
import { addWords, type WideSums } from './wide-sums.ts';

type Arrays = Readonly<Record<string, StoredArray>>;

/**
 * The accumulator that `toArrays` stored.
 * @param layers those it was made with; names are not stored, so that they must come from the same run.
 * @throws RangeError naming the array that is missing, unknown, of another dtype or shape, or holds what no accumulator
 * of these layers does.
 */
export function fromArrays(layers: readonly LayerShape[], arrays: Arrays): Accumulator {
  const [topK] = readArray(arrays, 'topK', U32, [1]);
  const accumulator = createAccumulator(layers, { topK });
  mergeArrays(accumulator, arrays);
  return accumulator;
}

/**
 * As `mergeAccumulators(into, fromArrays(into.layers, arrays))`, five times as fast: a run of a million images has four
 * thousand chunks to merge. The two must have no image in common.
 * @throws RangeError as `fromArrays` does, for another top-k, and for too many images; `into` is then of no use any more.
 */
export function mergeArrays(into: Accumulator, arrays: Arrays): void {
  checkNames(arrays);
  checkShape(into, arrays);
  const [images] = readArray(arrays, 'images', U32, [1]);
  if (images > MAX_IMAGES) throw implausible('images');
  addImages(into, images);
  addIntegers(arrays, 'filter.zeros.sum', into.zeros);
  addSums(arrays, 'filter.zeros.squares', 1, into.zerosSquares);
  addSums(arrays, 'filter.max.sum', 1, into.max);
  addSums(arrays, 'filter.max.squares', 2, into.maxSquares);
  const largest = readArray(arrays, 'filter.max.largest', F32, [into.zeros.length]);
  for (let i = 0; i < largest.length; i++) {
    if (largest[i] > into.largest[i]) into.largest[i] = largest[i];
  }
  const blank = addHistogram(arrays, images, into);
  mergeTop(arrays, images, blank, into);
  addClasses(arrays, images, into);
  addIntegers(arrays, 'layer.blank.sum', into.layerBlank);
  addIntegers(arrays, 'layer.blank.squares', into.layerBlankSquares);
  addIntegers(arrays, 'layer.zeros.sum', into.layerZeros);
  addSums(arrays, 'layer.zeros.squares', 2, into.layerZerosSquares);
}

function checkNames(arrays: Arrays): void {
  const known = new Set(Object.keys(toArrays(createAccumulator([]))));
  const unknown = Object.keys(arrays).find((name) => !known.has(name));
  if (unknown !== undefined) throw new RangeError(`the array ${unknown} is unknown`);
}

function checkShape({ layers, top }: Accumulator, arrays: Arrays): void {
  const [topK] = readArray(arrays, 'topK', U32, [1]);
  if (topK !== top.size)
    throw new RangeError(`statistics of top-k ${topK} are not those of top-k ${top.size}`);
  const shapes = readArray(arrays, 'layer.shape', U32, [layers.length, 2]);
  if (layers.some((layer, i) => layer.filters !== shapes[2 * i] || layer.positions !== shapes[2 * i + 1])) {
    throw implausible('layer.shape');
  }
}

/** 64-bit integers as 32-bit words, the lower one first: ten times as fast to add up as BigInts. */
function wordsOf(arrays: Arrays, name: string, shape: readonly number[]): Uint32Array {
  const { buffer, byteOffset, length } = readArray(arrays, name, U64, shape);
  return new Uint32Array(buffer, byteOffset, 2 * length);
}

function addIntegers(arrays: Arrays, name: string, into: Float64Array): void {
  const words = wordsOf(arrays, name, [into.length]);
  for (let i = 0; i < into.length; i++) {
    if (words[2 * i + 1] >= 2 ** 21) throw implausible(name);
    into[i] += words[2 * i + 1] * 2 ** 32 + words[2 * i];
  }
}

function addSums(arrays: Arrays, name: string, words: 1 | 2, into: WideSums): void {
  const { length } = into.low;
  const low = wordsOf(arrays, name, words === 1 ? [length] : [2, length]);
  const high = low.subarray(2 * length);
  for (let i = 0; i < length; i++) {
    if (words === 1) addWords(into, i, low[2 * i], low[2 * i + 1], 0, 0);
    else if (high[2 * i + 1] >= 2 ** 8) throw implausible(name);
    else addWords(into, i, low[2 * i], low[2 * i + 1], high[2 * i], high[2 * i + 1]);
  }
}

/** @returns the images on which each filter is blank `[filter]`. */
function addHistogram(arrays: Arrays, images: number, { histogram, zeros }: Accumulator): Uint32Array {
  const entries = readArray(arrays, 'histogram.entries', U8, [zeros.length]);
  const bins = readArray(arrays, 'histogram.bin', U8, [total(entries)]);
  const counts = readArray(arrays, 'histogram.count', U32, [bins.length]);
  const blank = new Uint32Array(zeros.length);
  let next = 0;
  for (let filter = 0; filter < entries.length; filter++) {
    let counted = 0;
    let before = -1;
    for (const end = next + entries[filter]; next < end; next++) {
      const bin = bins[next];
      if (bin <= before || bin >= HISTOGRAM_BINS) throw implausible('histogram.bin');
      before = bin;
      histogram[filter * HISTOGRAM_BINS + bin] += counts[next];
      counted += counts[next];
      if (bin === BLANK_BIN) blank[filter] = counts[next];
    }
    if (counted !== images) throw implausible('histogram.count');
  }
  return blank;
}

function mergeTop(arrays: Arrays, images: number, blank: Uint32Array, { top }: Accumulator): void {
  const lengths = blank.map((count) => Math.min(top.size, images - count));
  const values = readArray(arrays, 'top.value', F32, [total(lengths)]);
  const rows = readArray(arrays, 'top.row', U32, [values.length]);
  const positions = readArray(arrays, 'top.position', U16, [values.length]);
  let start = 0;
  for (let filter = 0; filter < lengths.length; filter++) {
    const end = start + lengths[filter];
    for (let next = start; next < end; next++) {
      const sound = values[next] > 0 && (next === start || values[next] <= values[next - 1]);
      if (!sound) throw implausible('top.value');
      // Strongest first: where one has no place, the rest has none.
      if (!offerImage(top, filter, values[next], rows[next], positions[next])) break;
    }
    start = end;
  }
}

function addClasses(arrays: Arrays, ofAll: number, accumulator: Accumulator): void {
  const ids = readArray(arrays, 'class.id', U32, [-1]);
  const images = readArray(arrays, 'class.images', U32, [ids.length]);
  const entries = readArray(arrays, 'class.entries', U32, [ids.length]);
  const filters = readArray(arrays, 'class.filter', U16, [total(entries)]);
  const counts = readArray(arrays, 'class.count', U32, [filters.length]);
  let next = 0;
  for (let i = 0; i < ids.length; i++) {
    if (i > 0 && ids[i] <= ids[i - 1]) throw implausible('class.id');
    if (images[i] === 0 || images[i] > ofAll) throw implausible('class.images');
    const ofClass = classCounts(accumulator, ids[i]);
    const { blank } = ofClass;
    ofClass.images += images[i];
    let before = -1;
    for (const end = next + entries[i]; next < end; next++) {
      const filter = filters[next];
      if (filter <= before || filter >= blank.length) throw implausible('class.filter');
      if (counts[next] > images[i]) throw implausible('class.count');
      before = filter;
      blank[filter] += counts[next];
    }
  }
}

function total(counts: Uint8Array | Uint32Array): number {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) sum += counts[i];
  return sum;
}

function implausible(name: string): RangeError {
  return new RangeError(`the array ${name} holds what no statistics of these layers do`);
}
