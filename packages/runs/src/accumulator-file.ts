import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress, zstdDecompressSync } from 'node:zlib';
import type { Accumulator } from '@filterscope/statistics/accumulator';
import { fromArrays } from '@filterscope/statistics/from-arrays';
import type { LayerShape } from '@filterscope/statistics/readings';
import type { StoredArray } from '@filterscope/statistics/stored-array';
import { toArrays } from '@filterscope/statistics/to-arrays';
import { decodeSafetensors, encodeSafetensors } from '@filterscope/vgg16/safetensors';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** Decompressed bytes are handed over in pieces of this size: a chunk's accumulator, 2 MB, in one. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** An accumulator as a safetensors file, compressed with Zstandard. */
export async function encodeAccumulator(accumulator: Accumulator): Promise<Uint8Array> {
  return compress(encodeSafetensors(toArrays(accumulator)));
}

export async function decodeAccumulator(
  layers: readonly LayerShape[],
  bytes: Uint8Array,
): Promise<Accumulator> {
  return fromArrays(layers, arraysOf(await decompress(bytes, { chunkSize: CHUNK_BYTES })));
}

/** The arrays of a stored accumulator, unchecked: what makes an accumulator of them checks them. Holds up its thread for some milliseconds. */
export function decodeArrays(bytes: Uint8Array): Record<string, StoredArray> {
  return arraysOf(zstdDecompressSync(bytes, { chunkSize: CHUNK_BYTES }));
}

function arraysOf(file: Uint8Array): Record<string, StoredArray> {
  const { tensors } = decodeSafetensors(file);
  const arrays = [...tensors].map(([name, { dtype, shape, data }]) => {
    if (dtype === 'F16' || dtype === 'BF16') throw new RangeError(`the array ${name} is of type ${dtype}`);
    return [name, { dtype, shape, data }] as const;
  });
  return Object.fromEntries(arrays);
}
