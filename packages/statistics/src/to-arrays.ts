import type { Accumulator } from './accumulator.ts';
import { HISTOGRAM_BINS } from './histogram.ts';
import { F32, numbers, U16, U32, U8, type StoredArray } from './stored-array.ts';
import { listTopImages } from './top-images.ts';
import { readSum, type WideSums } from './wide-sums.ts';

/**
 * An accumulator as named arrays, for a container such as safetensors. Nothing is lost (`fromArrays`), and equal sets of
 * images give equal arrays. With F filters and L layers:
 *
 * | name | dtype, shape | |
 * |---|---|---|
 * | `images`, `topK` | U32 [1] | |
 * | `layer.shape` | U32 [L, 2] | filters, positions |
 * | `filter.zeros.sum`, `.squares` | U64 [F] | |
 * | `filter.max.sum` | U64 [F] | in 2^−16 |
 * | `filter.max.squares` | U64 [2, F] | in 2^−32; low 64 bits, then high |
 * | `filter.max.largest` | F32 [F] | |
 * | `histogram.entries` | U8 [F] | bins of each filter that hold images |
 * | `histogram.bin`, `.count` | U8, U32 | those bins, filter by filter, rising |
 * | `top.value`, `.row`, `.position` | F32, U32, U16 | `min(topK, images not blank)` a filter, strongest first |
 * | `class.id`, `.images`, `.entries` | U32 | classes with images, rising; filters blank on any of these |
 * | `class.filter`, `.count` | U16, U32 | those filters, class by class, rising, and on how many images |
 * | `layer.blank.sum`, `.squares`, `layer.zeros.sum` | U64 [L] | |
 * | `layer.zeros.squares` | U64 [2, L] | low 64 bits, then high |
 *
 * After the few images of a chunk most bins, slots and classes are empty: only what is there is listed.
 */
export function toArrays(accumulator: Accumulator): Record<string, StoredArray> {
  const { layers, images, top, largest } = accumulator;
  const shapes = layers.flatMap(({ filters, positions }) => [filters, positions]);
  return {
    images: numbers(U32, [images]),
    topK: numbers(U32, [top.size]),
    'layer.shape': { ...numbers(U32, shapes), shape: [layers.length, 2] },
    'filter.zeros.sum': integers(accumulator.zeros),
    'filter.zeros.squares': wideSums(accumulator.zerosSquares, 1),
    'filter.max.sum': wideSums(accumulator.max, 1),
    'filter.max.squares': wideSums(accumulator.maxSquares, 2),
    'filter.max.largest': { dtype: 'F32', shape: [largest.length], data: largest.slice() },
    ...histogramArrays(accumulator),
    ...topArrays(accumulator),
    ...classArrays(accumulator),
    'layer.blank.sum': integers(accumulator.layerBlank),
    'layer.blank.squares': integers(accumulator.layerBlankSquares),
    'layer.zeros.sum': integers(accumulator.layerZeros),
    'layer.zeros.squares': wideSums(accumulator.layerZerosSquares, 2),
  };
}

function integers(values: Float64Array): StoredArray {
  return {
    dtype: 'U64',
    shape: [values.length],
    data: BigUint64Array.from(values, (value) => BigInt(value)),
  };
}

/** @param words 64-bit words a sum: 1, or 2 for sums that may exceed 2^64. */
function wideSums(sums: WideSums, words: 1 | 2): StoredArray {
  const { length } = sums.low;
  const data = new BigUint64Array(length * words);
  for (let i = 0; i < length; i++) {
    const sum = readSum(sums, i);
    data[i] = BigInt.asUintN(64, sum);
    if (words === 2) data[length + i] = sum >> 64n;
  }
  return { dtype: 'U64', shape: words === 1 ? [length] : [2, length], data };
}

function histogramArrays({ histogram }: Accumulator) {
  const entries: number[] = [];
  const bins: number[] = [];
  const counts: number[] = [];
  for (let start = 0; start < histogram.length; start += HISTOGRAM_BINS) {
    const before = bins.length;
    for (let bin = 0; bin < HISTOGRAM_BINS; bin++) {
      if (histogram[start + bin] === 0) continue;
      bins.push(bin);
      counts.push(histogram[start + bin]);
    }
    entries.push(bins.length - before);
  }
  return {
    'histogram.entries': numbers(U8, entries),
    'histogram.bin': numbers(U8, bins),
    'histogram.count': numbers(U32, counts),
  };
}

function topArrays({ top, zeros }: Accumulator) {
  const images = Array.from(zeros, (_, filter) => listTopImages(top, filter)).flat();
  const values = images.map(({ max }) => max);
  const rows = images.map(({ row }) => row);
  const positions = images.map(({ position }) => position);
  return {
    'top.value': numbers(F32, values),
    'top.row': numbers(U32, rows),
    'top.position': numbers(U16, positions),
  };
}

/** Counted first and then filled in: a thousand classes have a million entries, too many for growing arrays. */
function classArrays({ classes }: Accumulator) {
  const byId = [...classes].toSorted(([a], [b]) => a - b);
  const entries = byId.map(([, { blank }]) => positive(blank));
  const length = entries.reduce((sum, count) => sum + count, 0);
  const filters = new Uint16Array(length);
  const counts = new Uint32Array(length);
  let at = 0;
  for (const [, { blank }] of byId) {
    for (let filter = 0; filter < blank.length; filter++) {
      if (blank[filter] === 0) continue;
      filters[at] = filter;
      counts[at++] = blank[filter];
    }
  }
  const ids = byId.map(([id]) => id);
  const images = byId.map(([, ofClass]) => ofClass.images);
  return {
    'class.id': numbers(U32, ids),
    'class.images': numbers(U32, images),
    'class.entries': numbers(U32, entries),
    'class.filter': { dtype: 'U16', shape: [length], data: filters },
    'class.count': { dtype: 'U32', shape: [length], data: counts },
  } satisfies Record<string, StoredArray>;
}

function positive(counts: Uint32Array): number {
  let positive = 0;
  for (let i = 0; i < counts.length; i++) if (counts[i] > 0) positive++;
  return positive;
}
