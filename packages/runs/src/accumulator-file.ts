import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import type { Accumulator } from '@filterscope/statistics/accumulator';
import { fromArrays } from '@filterscope/statistics/from-arrays';
import type { LayerShape } from '@filterscope/statistics/readings';
import type { StoredArray } from '@filterscope/statistics/stored-array';
import { toArrays } from '@filterscope/statistics/to-arrays';
import { decodeSafetensors, encodeSafetensors } from '@filterscope/vgg16/safetensors';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

/** An accumulator as a safetensors file, compressed with Zstandard. */
export async function encodeAccumulator(accumulator: Accumulator): Promise<Uint8Array> {
  return compress(encodeSafetensors(toArrays(accumulator)));
}

export async function decodeAccumulator(
  layers: readonly LayerShape[],
  bytes: Uint8Array,
): Promise<Accumulator> {
  return fromArrays(layers, await decodeArrays(bytes));
}

/** The arrays of a stored accumulator, unchecked: what makes an accumulator of them checks them. */
export async function decodeArrays(bytes: Uint8Array): Promise<Record<string, StoredArray>> {
  const { tensors } = decodeSafetensors(await decompress(bytes));
  const arrays = [...tensors].map(([name, { dtype, shape, data }]) => {
    if (dtype === 'F16' || dtype === 'BF16') throw new RangeError(`the array ${name} is of type ${dtype}`);
    return [name, { dtype, shape, data }] as const;
  });
  return Object.fromEntries(arrays);
}
