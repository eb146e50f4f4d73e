/** Element types, by the names that safetensors gives them. */
export type Dtype = 'U8' | 'U16' | 'U32' | 'I32' | 'U64' | 'I64' | 'F32' | 'F64';

/** An array to store: `data` holds the product of `shape` elements, row-major, in the typed array of its `dtype`. */
export interface StoredArray {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: StoredData;
}

type StoredData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/** A dtype with its typed array. */
export interface Kind<T extends StoredData> {
  readonly dtype: Dtype;
  readonly type: new (length: number) => T;
}

export const U8: Kind<Uint8Array> = { dtype: 'U8', type: Uint8Array };
export const U16: Kind<Uint16Array> = { dtype: 'U16', type: Uint16Array };
export const U32: Kind<Uint32Array> = { dtype: 'U32', type: Uint32Array };
export const U64: Kind<BigUint64Array> = { dtype: 'U64', type: BigUint64Array };
export const F32: Kind<Float32Array> = { dtype: 'F32', type: Float32Array };

/** An array of `values` in one dimension. */
export function numbers(kind: Kind<Uint8Array | Uint16Array | Uint32Array | Float32Array>, values: number[]) {
  const data = new kind.type(values.length);
  data.set(values);
  return { dtype: kind.dtype, shape: [values.length], data } satisfies StoredArray;
}

/**
 * The elements of array `name`.
 * @param shape what its shape must be; −1 stands for any length.
 * @throws RangeError naming the array if it is missing, has another dtype or shape, or holds another number of elements.
 */
export function readArray<T extends StoredData>(
  arrays: Readonly<Record<string, StoredArray>>,
  name: string,
  kind: Kind<T>,
  shape: readonly number[],
): T {
  if (!Object.hasOwn(arrays, name)) throw new RangeError(`the array ${name} is missing`);
  const { dtype, shape: actual, data } = arrays[name];
  if (dtype !== kind.dtype || !(data instanceof kind.type)) {
    throw new RangeError(`the array ${name} holds ${dtype} and not ${kind.dtype}`);
  }
  const fits = actual.length === shape.length && shape.every((size, i) => size === -1 || size === actual[i]);
  if (!fits || data.length !== actual.reduce((product, size) => product * size, 1)) {
    const expected = shape.map((size) => (size === -1 ? 'any' : size)).join(', ');
    throw new RangeError(
      `the array ${name} has ${data.length} elements in shape [${actual.join(', ')}], not [${expected}]`,
    );
  }
  return data;
}
