import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type Tensor } from './safetensors.ts';

/** A file with any header and 16 bytes of data. */
function fileOf(header: unknown): Uint8Array {
  const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + 16);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const ALL: Record<string, Tensor> = {
  f64: { dtype: 'F64', shape: [1], data: Float64Array.of(Math.PI) },
  u64: { dtype: 'U64', shape: [2], data: BigUint64Array.of(2n ** 64n - 1n, 0n) },
  i64: { dtype: 'I64', shape: [1, 1], data: BigInt64Array.of(-5n) },
  f32: { dtype: 'F32', shape: [2, 2], data: Float32Array.of(1, -0.5, Infinity, 1e-40) },
  i32: { dtype: 'I32', shape: [], data: Int32Array.of(-7) },
  u32: { dtype: 'U32', shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
  u16: { dtype: 'U16', shape: [3], data: Uint16Array.of(1, 2, 65535) },
  u8: { dtype: 'U8', shape: [2, 1], data: Uint8Array.of(0, 255) },
  none: { dtype: 'U8', shape: [0, 4], data: new Uint8Array() },
};

test('every dtype comes back, without a copy when written widest first', () => {
  const bytes = encodeSafetensors(ALL, { b: '2', a: '1' });
  const { tensors, metadata } = decodeSafetensors(bytes);
  expect(Object.fromEntries(tensors)).toEqual(ALL);
  expect([...metadata]).toEqual([
    ['a', '1'],
    ['b', '2'],
  ]);
  for (const { data } of tensors.values()) expect(data.buffer).toBe(bytes.buffer);
});

test('unaligned bytes are copied, not refused', () => {
  const shifted = new Uint8Array(encodeSafetensors(ALL).length + 1).subarray(1);
  shifted.set(encodeSafetensors(ALL));
  const buffer = Buffer.from(shifted.buffer, shifted.byteOffset, shifted.length);
  for (const bytes of [shifted, buffer])
    expect(Object.fromEntries(decodeSafetensors(bytes).tensors)).toEqual(ALL);
});

test('any float32 comes back bit by bit', () => {
  fc.assert(
    fc.property(fc.float32Array(), fc.string(), (data, name) => {
      fc.pre(!['__metadata__', '__proto__'].includes(name));
      const { tensors } = decodeSafetensors(
        encodeSafetensors({ [name]: { dtype: 'F32', shape: [data.length], data } }),
      );
      expect(tensors.get(name)?.data).toEqual(data);
    }),
    { numRuns: 50 },
  );
});

test('the bytes are fixed: 8-byte length, JSON padded with spaces to a multiple of 8, data', () => {
  const bytes = encodeSafetensors({ x: { dtype: 'U8', shape: [2], data: Uint8Array.of(1, 2) } });
  const text = new TextDecoder().decode(bytes.subarray(8, -2));
  expect(text).toBe('{"x":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}   ');
  expect([...bytes.subarray(0, 8)]).toEqual([56, 0, 0, 0, 0, 0, 0, 0]);
  expect([...bytes.subarray(-2)]).toEqual([1, 2]);
});

test('half precision is widened', () => {
  const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x8000, 0x3555, 0x0400);
  const file = fileOf({ h: { dtype: 'F16', shape: [8], data_offsets: [0, 16] } });
  file.set(new Uint8Array(halves.buffer), file.length - 16);
  const expected = [1, -2, 2 ** -24, 65504, Infinity, -0, 0.333251953125, 2 ** -14];
  expect([...(decodeSafetensors(file).tensors.get('h')?.data ?? [])]).toEqual(expected);
  const brain = fileOf({ b: { dtype: 'BF16', shape: [8], data_offsets: [0, 16] } });
  brain.set(new Uint8Array(Uint16Array.of(0x3f80, 0xc000, 0x7f80).buffer), brain.length - 16);
  expect([...(decodeSafetensors(brain).tensors.get('b')?.data ?? [])]).toEqual([
    1,
    -2,
    Infinity,
    0,
    0,
    0,
    0,
    0,
  ]);
});

const u8 = { dtype: 'U8', shape: [4], data_offsets: [0, 4] };

test.each([
  ['too short', new Uint8Array(7), 'it has 7 bytes'],
  ['a huge header', new Uint8Array(100).fill(255), 'it announces a header'],
  ['a header beyond the end', Uint8Array.of(50, 0, 0, 0, 0, 0, 0, 0, 123), 'ends after 9'],
  ['no JSON', fileOf('{"x":'), 'its header is not JSON'],
  ['a JSON array', fileOf([]), 'its header is not a JSON object'],
  ['metadata of numbers', fileOf({ __metadata__: { a: 1 } }), 'its metadata "a" is not a string'],
  ['metadata that is a list', fileOf({ __metadata__: [] }), 'its metadata is not a JSON object'],
  ['a tensor that is null', fileOf({ x: null }), 'tensor "x" is not described'],
  ['an unknown dtype', fileOf({ x: { ...u8, dtype: 'toString' } }), 'the unknown dtype "toString"'],
  ['a negative extent', fileOf({ x: { ...u8, shape: [-1] } }), 'no valid shape'],
  ['offsets backwards', fileOf({ x: { ...u8, data_offsets: [4, 0] } }), 'no valid offsets'],
  ['offsets beyond the end', fileOf({ x: { ...u8, data_offsets: [0, 17] } }), 'cut short'],
  ['the wrong length', fileOf({ x: { ...u8, shape: [5] } }), 'has 4 bytes; U8 of shape [5] has 5'],
  ['a product that overflows', fileOf({ x: { ...u8, shape: [2 ** 40, 2 ** 40] } }), 'has 4 bytes'],
  ['an overlap', fileOf({ x: u8, y: { ...u8, data_offsets: [3, 7] } }), 'tensor "y" overlaps'],
])('%s is refused', (_, bytes, message) => {
  const error = expect.objectContaining({
    code: 'bad-safetensors',
    message: expect.stringContaining(message),
  });
  expect(() => decodeSafetensors(bytes)).toThrow(error);
});

test('any bytes either parse or are refused with the code', () => {
  fc.assert(
    fc.property(fc.json(), (json) => {
      try {
        decodeSafetensors(fileOf(json));
      } catch (error) {
        expect(error).toMatchObject({ code: 'bad-safetensors' });
      }
    }),
  );
});

test.each<[string, Tensor]>([
  ['a shape of another length', { dtype: 'U8', shape: [3], data: Uint8Array.of(1, 2) }],
  ['an array of another type', { dtype: 'I32', shape: [1], data: Uint32Array.of(1) }],
  ['half precision', { dtype: 'F16', shape: [1], data: Float32Array.of(1) }],
])('%s is not written', (_, tensor) => {
  expect(() => encodeSafetensors({ x: tensor })).toThrow(expect.objectContaining({ code: 'bad-tensor' }));
});
