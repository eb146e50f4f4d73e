/** The header's length, counted from the file's beginning, is a multiple of this. */
const ALIGNMENT = 64;

/**
 * A NumPy array as a file (format 1.0, numpy.lib.format): a vector of booleans, or one text, an array of no dimensions.
 */
export function encodeNpy(value: readonly boolean[] | string): Uint8Array {
  if (typeof value !== 'string') return npy('|b1', `(${value.length},)`, Uint8Array.from(value, Number));
  const codePoints = Uint32Array.from(Array.from(value), (character) => character.codePointAt(0)!);
  const data = new DataView(new ArrayBuffer(codePoints.byteLength));
  for (const [i, codePoint] of codePoints.entries()) data.setUint32(4 * i, codePoint, true);
  return npy(`<U${codePoints.length}`, '()', new Uint8Array(data.buffer));
}

function npy(dtype: string, shape: string, data: Uint8Array): Uint8Array {
  const dictionary = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${shape}, }`;
  const preamble = 10;
  const length = Math.ceil((preamble + dictionary.length + 1) / ALIGNMENT) * ALIGNMENT - preamble;
  const header = Buffer.from(`\x93NUMPY\x01\x00..${dictionary.padEnd(length - 1)}\n`, 'latin1');
  header.writeUInt16LE(length, 8);
  return Buffer.concat([header, data]);
}
