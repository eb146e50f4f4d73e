import { blankImages, classCounts, createAccumulator, MAX_IMAGES, type Accumulator } from './accumulator.ts';
import { HISTOGRAM_BINS } from './histogram.ts';
import type { LayerShape } from './readings.ts';
import { F32, readArray, U16, U32, U64, U8, type StoredArray } from './stored-array.ts';
import { toArrays } from './to-arrays.ts';
import { offerImage } from './top-images.ts';
import { writeSum, type WideSums } from './wide-sums.ts';

type Arrays = Readonly<Record<string, StoredArray>>;

/**
 * The accumulator that `toArrays` stored.
 * @param layers those it was made with; names are not stored, so that they must come from the same run.
 * @throws RangeError naming the array that is missing, unknown, of another dtype or shape, or holds what no accumulator
 * of these layers does.
 */
export function fromArrays(layers: readonly LayerShape[], arrays: Arrays): Accumulator {
  checkNames(arrays);
  const [topK] = readArray(arrays, 'topK', U32, [1]);
  const accumulator = createAccumulator(layers, { topK });
  const [images] = readArray(arrays, 'images', U32, [1]);
  if (images > MAX_IMAGES) throw implausible('images');
  accumulator.images = images;
  const shapes = readArray(arrays, 'layer.shape', U32, [layers.length, 2]);
  if (layers.some((layer, i) => layer.filters !== shapes[2 * i] || layer.positions !== shapes[2 * i + 1])) {
    throw implausible('layer.shape');
  }
  readIntegers(arrays, 'filter.zeros.sum', accumulator.zeros);
  readSums(arrays, 'filter.zeros.squares', 1, accumulator.zerosSquares);
  readSums(arrays, 'filter.max.sum', 1, accumulator.max);
  readSums(arrays, 'filter.max.squares', 2, accumulator.maxSquares);
  accumulator.largest.set(readArray(arrays, 'filter.max.largest', F32, [accumulator.zeros.length]));
  readHistogram(arrays, accumulator);
  readTop(arrays, accumulator);
  readClasses(arrays, accumulator);
  readIntegers(arrays, 'layer.blank.sum', accumulator.layerBlank);
  readIntegers(arrays, 'layer.blank.squares', accumulator.layerBlankSquares);
  readIntegers(arrays, 'layer.zeros.sum', accumulator.layerZeros);
  readSums(arrays, 'layer.zeros.squares', 2, accumulator.layerZerosSquares);
  return accumulator;
}

function checkNames(arrays: Arrays): void {
  const known = new Set(Object.keys(toArrays(createAccumulator([]))));
  const unknown = Object.keys(arrays).find((name) => !known.has(name));
  if (unknown !== undefined) throw new RangeError(`the array ${unknown} is unknown`);
}

function readIntegers(arrays: Arrays, name: string, into: Float64Array): void {
  const values = readArray(arrays, name, U64, [into.length]);
  for (const [i, value] of values.entries()) {
    if (value > Number.MAX_SAFE_INTEGER) throw implausible(name);
    into[i] = Number(value);
  }
}

function readSums(arrays: Arrays, name: string, words: 1 | 2, into: WideSums): void {
  const { length } = into.low;
  const data = readArray(arrays, name, U64, words === 1 ? [length] : [2, length]);
  for (let i = 0; i < length; i++) {
    const high = words === 1 ? 0n : data[length + i];
    if (high >= 2n ** 40n) throw implausible(name);
    writeSum(into, i, data[i] + (high << 64n));
  }
}

function readHistogram(arrays: Arrays, { histogram, images, zeros }: Accumulator): void {
  const entries = readArray(arrays, 'histogram.entries', U8, [zeros.length]);
  const bins = readArray(arrays, 'histogram.bin', U8, [total(entries)]);
  const counts = readArray(arrays, 'histogram.count', U32, [bins.length]);
  let next = 0;
  for (const [filter, length] of entries.entries()) {
    let counted = 0;
    for (const end = next + length; next < end; next++) {
      const cell = filter * HISTOGRAM_BINS + bins[next];
      if (bins[next] >= HISTOGRAM_BINS || histogram[cell] > 0) throw implausible('histogram.bin');
      histogram[cell] = counts[next];
      counted += counts[next];
    }
    if (counted !== images) throw implausible('histogram.count');
  }
}

/** After the histogram, which tells how many images each filter has. */
function readTop(arrays: Arrays, accumulator: Accumulator): void {
  const { top, images, zeros } = accumulator;
  const lengths = zeros.map((_, filter) => Math.min(top.size, images - blankImages(accumulator, filter)));
  const values = readArray(arrays, 'top.value', F32, [total(lengths)]);
  const rows = readArray(arrays, 'top.row', U32, [values.length]);
  const positions = readArray(arrays, 'top.position', U16, [values.length]);
  let next = 0;
  for (const [filter, length] of lengths.entries()) {
    for (const end = next + length; next < end; next++) {
      if (!(values[next] > 0)) throw implausible('top.value');
      offerImage(top, filter, values[next], rows[next], positions[next]);
    }
  }
}

function readClasses(arrays: Arrays, accumulator: Accumulator): void {
  const ids = readArray(arrays, 'class.id', U32, [-1]);
  const images = readArray(arrays, 'class.images', U32, [ids.length]);
  const entries = readArray(arrays, 'class.entries', U32, [ids.length]);
  const filters = readArray(arrays, 'class.filter', U16, [total(entries)]);
  const counts = readArray(arrays, 'class.count', U32, [filters.length]);
  let next = 0;
  for (const [i, id] of ids.entries()) {
    if (accumulator.classes.has(id)) throw implausible('class.id');
    if (images[i] === 0) throw implausible('class.images');
    const ofClass = classCounts(accumulator, id);
    ofClass.images = images[i];
    for (const end = next + entries[i]; next < end; next++) {
      const filter = filters[next];
      if (filter >= ofClass.blank.length || ofClass.blank[filter] > 0) throw implausible('class.filter');
      if (counts[next] > images[i]) throw implausible('class.count');
      ofClass.blank[filter] = counts[next];
    }
  }
  if (total(images) > accumulator.images) throw implausible('class.images');
}

function total(counts: Uint8Array | Uint32Array | Float64Array): number {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}

function implausible(name: string): RangeError {
  return new RangeError(`the array ${name} holds what no statistics of these layers do`);
}
