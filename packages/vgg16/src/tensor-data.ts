/** Types of numbers in a safetensors file that are understood, and the bytes of one. */
export const SIZE_BYTES = {
  U8: 1,
  U16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

export type Dtype = keyof typeof SIZE_BYTES;

export type TensorData =
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | Int32Array
  | BigUint64Array
  | BigInt64Array
  | Float32Array
  | Float64Array;

/**
 * Little-endian bytes as numbers: a view of them where they are aligned, else a copy. F16 and BF16 are widened to
 * float32. The bytes have to be a whole number of numbers. Node.js runs on little-endian machines only.
 */
export function dataOf(dtype: Dtype, bytes: Uint8Array): TensorData {
  const size = SIZE_BYTES[dtype];
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes); // a Buffer's slice() is no copy
  const { buffer, byteOffset } = aligned;
  const length = bytes.length / size;
  switch (dtype) {
    case 'U8':
      return new Uint8Array(buffer, byteOffset, length);
    case 'U16':
      return new Uint16Array(buffer, byteOffset, length);
    case 'U32':
      return new Uint32Array(buffer, byteOffset, length);
    case 'I32':
      return new Int32Array(buffer, byteOffset, length);
    case 'U64':
      return new BigUint64Array(buffer, byteOffset, length);
    case 'I64':
      return new BigInt64Array(buffer, byteOffset, length);
    case 'F32':
      return new Float32Array(buffer, byteOffset, length);
    case 'F64':
      return new Float64Array(buffer, byteOffset, length);
    case 'F16':
      return Float32Array.from(new Uint16Array(buffer, byteOffset, length), halfToNumber);
    default: // BF16: the upper half of a float32
      return new Float32Array(
        Uint32Array.from(new Uint16Array(buffer, byteOffset, length), (bits) => bits << 16).buffer,
      );
  }
}

/** IEEE 754 binary16: 1 bit sign, 5 bits exponent, 10 bits fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
