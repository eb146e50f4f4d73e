import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { createOnnxGraph, EXTERNAL_FILE, ONNX_TYPE } from './onnx-model.ts';

const { float, int32, int64, uint8 } = ONNX_TYPE;

test('a model with constants and attributes of every kind runs in the runtime', async () => {
  const g = createOnnxGraph();
  const x = g.input('x', float, [2, 3]);
  const scaled = g.op('Mul', [x, g.floats([1, 3], [1, 10, 100])]);
  const leaky = g.op('LeakyRelu', [scaled], { alpha: { float: 0.5 } });
  g.output(g.op('Transpose', [leaky], { perm: [1, 0] }), 'turned', float, [3, 2]);
  g.output(g.op('ArgMax', [scaled], { axis: 1, keepdims: 0 }), 'largest', int64, [2]);
  g.output(g.op('Reshape', [x, g.integers([-1])]), 'flat', float, [6]);
  g.output(g.integerRange(3, 7), 'sevens', int32, [3]);
  g.output(g.integer(-5), 'one', int32, []);
  g.output(g.zeroBytes(4), 'zeros', uint8, [4]);

  const session = await InferenceSession.create(g.encode());
  const results = await session.run({ x: new Tensor('float32', [1, -2, 3, -4, 5, 0.5], [2, 3]) });
  const data = Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, tensor.data]));
  expect(data).toEqual({
    turned: Float32Array.of(1, -2, -10, 50, 300, 50),
    largest: BigInt64Array.of(2n, 1n),
    flat: Float32Array.of(1, -2, 3, -4, 5, 0.5),
    sevens: Int32Array.of(0, 7, 14),
    one: Int32Array.of(-5),
    zeros: new Uint8Array(4),
  });
});

test('constants beside the model are read from the bytes given with it', async () => {
  const numbers = Float32Array.of(99, 1.5, -2.5, 99);
  const g = createOnnxGraph();
  const x = g.input('x', float, [2]);
  g.output(g.op('Add', [x, g.externalFloats([2], { offset: 4, length: 2 })]), 'sum', float, [2]);
  const session = await InferenceSession.create(g.encode(), {
    externalData: [{ path: EXTERNAL_FILE, data: new Uint8Array(numbers.buffer) }],
  });
  const { sum } = await session.run({ x: new Tensor('float32', [10, 20], [2]) });
  expect(sum.data).toEqual(Float32Array.of(11.5, 17.5));
});

test('a constant of a name that was there already is written once', () => {
  const g = createOnnxGraph();
  expect(g.integers([1, 2])).toBe(g.integers([1, 2]));
  expect(g.floats([], [255], 'full')).toBe(g.floats([], [255], 'full'));
  expect(g.floats([1], [1])).not.toBe(g.floats([1], [1]));
});
