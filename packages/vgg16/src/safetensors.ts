import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { dataOf, SIZE_BYTES, type Dtype, type TensorData } from './tensor-data.ts';

/** An array of numbers with a shape, row-major. */
export interface Tensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** As many numbers as the product of the shape. F16 and BF16 are widened to float32 on reading and never written. */
  readonly data: TensorData;
}

/** What a safetensors file holds. */
export interface TensorFile {
  /** By name, in the order of their bytes in the file. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/** Longest header read, in bytes: a thousand times a VGG16's. */
const MAX_HEADER_BYTES = 16 * 1024 * 1024;

/**
 * A safetensors file (https://github.com/huggingface/safetensors#format): the tensors in the order of the object's
 * keys, metadata sorted by key, so that the same tensors in the same order give the same bytes. The header is padded
 * with spaces to a multiple of 8 bytes: with the widest numbers first, a reader needs no copies.
 * @throws FilterscopeError `bad-tensor` when a shape does not fit its data or a dtype its array.
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = [];
  const keys = Object.keys(metadata).toSorted();
  if (keys.length > 0)
    header.push(['__metadata__', Object.fromEntries(keys.map((key) => [key, metadata[key]]))]);
  let end = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    checkTensor(name, { dtype, shape, data });
    header.push([name, { dtype, shape, data_offsets: [end, end + data.byteLength] }]);
    end += data.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const start = 8 + Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(start + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(start - 8), true);
  bytes.fill(0x20, 8, start);
  bytes.set(text, 8);
  let at = start;
  for (const { data } of Object.values(tensors)) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

/**
 * The tensors of a safetensors file. Their data are views of `bytes` where alignment permits, else copies.
 * @throws FilterscopeError `bad-safetensors`, with what is wrong, for anything that is not a well-formed file: tensors
 * have to be of a known dtype, to lie within the file without overlap, and to be as long as their shape says.
 */
export function decodeSafetensors(bytes: Uint8Array): TensorFile {
  const { header, start } = readHeader(bytes);
  const metadata = new Map<string, string>();
  const entries: (Entry & { readonly name: string })[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isRecord(value)) throw bad('its metadata is not a JSON object');
      for (const [key, text] of Object.entries(value)) {
        if (typeof text !== 'string') throw bad(`its metadata "${key}" is not a string`);
        metadata.set(key, text);
      }
    } else {
      entries.push({ name, ...readEntry(name, value, bytes.length - start) });
    }
  }
  entries.sort((a, b) => a.from - b.from || a.to - b.to);
  const tensors = new Map<string, Tensor>();
  let end = 0;
  for (const { name, dtype, shape, from, to } of entries) {
    if (from < end) throw bad(`tensor "${name}" overlaps the one before it`);
    end = to;
    tensors.set(name, { dtype, shape, data: dataOf(dtype, bytes.subarray(start + from, start + to)) });
  }
  return { tensors, metadata };
}

interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** In bytes, from the end of the header. */
  readonly from: number;
  readonly to: number;
}

function readHeader(bytes: Uint8Array): { header: Record<string, unknown>; start: number } {
  if (bytes.length < 8) throw bad(`it has ${bytes.length} bytes`);
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > MAX_HEADER_BYTES) throw bad(`it announces a header of ${length} bytes`);
  const start = 8 + Number(length);
  if (start > bytes.length)
    throw bad(`its header should have ${length} bytes, but the file ends after ${bytes.length}`);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    throw bad('its header is not JSON', cause);
  }
  if (!isRecord(header)) throw bad('its header is not a JSON object');
  return { header, start };
}

function readEntry(name: string, value: unknown, available: number): Entry {
  if (!isRecord(value)) throw bad(`tensor "${name}" is not described by a JSON object`);
  const { dtype, shape, data_offsets: offsets } = value;
  if (!isDtype(dtype)) throw bad(`tensor "${name}" has the unknown dtype ${JSON.stringify(dtype)}`);
  if (!isCounts(shape)) throw bad(`tensor "${name}" has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1]) {
    throw bad(`tensor "${name}" has no valid offsets`);
  }
  const [from, to] = offsets;
  if (to > available) {
    throw bad(
      `tensor "${name}" ends at byte ${to} of the data, but there are ${available}; is the file cut short?`,
    );
  }
  const needed = shape.reduce((product, extent) => product * extent, SIZE_BYTES[dtype]);
  if (to - from !== needed) {
    throw bad(
      `tensor "${name}" has ${to - from} bytes; ${dtype} of shape [${shape.join(', ')}] has ${needed}`,
    );
  }
  return { dtype, shape, from, to };
}

function checkTensor(name: string, { dtype, shape, data }: Tensor): void {
  const numbers = shape.reduce((product, extent) => product * extent, 1);
  const fits = isCounts(shape) && numbers === data.length && name !== '__metadata__';
  if (
    !fits ||
    data[Symbol.toStringTag] !== dataOf(dtype, new Uint8Array())[Symbol.toStringTag] ||
    dtype === 'F16' ||
    dtype === 'BF16'
  ) {
    const message = `tensor "${name}" cannot be written: ${data.length} numbers as ${dtype} of shape [${shape.join(', ')}]`;
    throw new FilterscopeError('bad-tensor', message);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDtype(value: unknown): value is Dtype {
  return typeof value === 'string' && Object.hasOwn(SIZE_BYTES, value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

function bad(what: string, cause?: unknown): FilterscopeError {
  return new FilterscopeError('bad-safetensors', `not a safetensors file: ${what}`, { cause });
}
