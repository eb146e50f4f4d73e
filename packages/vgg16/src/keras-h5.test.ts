import { beforeAll, expect, test } from 'vitest';
import type { Group } from 'h5wasm';
import { LAYERS } from './layers.ts';
import { encodeSafetensors } from './safetensors.ts';
import { canonicalWeights, parseWeights } from './weights-file.ts';

const [FIRST, SECOND] = LAYERS;
const KERNEL = Float32Array.from({ length: 1728 }, (_, i) => Math.sin(i));
const BIAS = Float32Array.from({ length: 64 }, (_, i) => Math.cos(i));

let h5wasm: typeof import('h5wasm');

beforeAll(async () => {
  h5wasm = await import('h5wasm');
  await h5wasm.ready;
});

function h5(write: (root: Group) => void): Uint8Array {
  const file = new h5wasm.File('test.h5', 'w');
  write(file);
  file.close();
  const bytes = h5wasm.FS!.readFile('test.h5');
  h5wasm.FS!.unlink('test.h5');
  return bytes;
}

function group(parent: Group, path: string): Group {
  return path.split('/').reduce((at, name) => at.create_group(name), parent);
}

function add(
  parent: Group,
  name: string,
  data: Float32Array | Int32Array,
  shape: number[] = [data.length],
): void {
  parent.create_dataset({ name, data, shape });
}

const SHAPE = [3, 3, 3, 64];

test.each([
  ['Keras 1', 'block1_conv1', 'block1_conv1_W_1:0', 'block1_conv1_b_1:0'],
  ['Keras 2', 'block1_conv1/block1_conv1', 'kernel:0', 'bias:0'],
  ['a whole model of Keras 2', 'model_weights/block1_conv1/block1_conv1', 'kernel:0', 'bias:0'],
  ['a model within a model', 'model_weights/vgg16/block1_conv1', 'kernel:0', 'bias:0'],
  ['Keras 3', 'layers/block1_conv1/vars', '0', '1'],
])('the layout of %s', async (_, path, kernelName, biasName) => {
  const bytes = h5((root) => {
    const layer = group(root, path);
    add(layer, kernelName, KERNEL, SHAPE);
    add(layer, biasName, BIAS);
    add(group(root, 'predictions'), 'kernel:0', BIAS, [8, 8]);
    add(group(root, 'optimizer_weights/block1_conv1'), 'kernel:0', KERNEL, SHAPE);
  });
  const weights = await parseWeights(bytes, 'any.name');
  expect(weights).toMatchObject({ flavour: 'keras', synthetic: false, name: 'any.name' });
  expect([...weights.layers]).toEqual([['block1_conv1', { kernel: KERNEL, bias: BIAS }]]);
});

test('the same numbers have the same digest as from safetensors', async () => {
  const bytes = h5((root) => {
    const layer = group(root, 'block1_conv1');
    add(layer, 'block1_conv1_W_1:0', KERNEL, SHAPE);
    add(layer, 'block1_conv1_b_1:0', BIAS);
  });
  const other = encodeSafetensors({
    'block1_conv1/bias': { dtype: 'F32', shape: [64], data: BIAS },
    'block1_conv1/kernel': { dtype: 'F32', shape: SHAPE, data: KERNEL },
  });
  const [a, b] = await Promise.all([parseWeights(bytes, 'a.h5'), parseWeights(other, 'b.safetensors')]);
  expect(canonicalWeights(a)).toEqual(canonicalWeights(b));
});

test('a layer without its kernel does not count', async () => {
  const bytes = h5((root) => {
    for (const { layer, inputs, filters } of [FIRST, SECOND]) {
      const at = group(root, layer);
      add(at, 'bias', new Float32Array(filters));
      if (layer === FIRST.layer)
        add(at, 'kernel', new Float32Array(9 * inputs * filters), [3, 3, inputs, filters]);
    }
  });
  expect([...(await parseWeights(bytes, 'x.h5')).layers.keys()]).toEqual(['block1_conv1']);
});

test.each<[string, (root: Group) => void, string]>([
  [
    'a wrong shape',
    (root) => {
      add(group(root, 'block1_conv1'), 'kernel', KERNEL, [3, 3, 64, 3]);
      add(root, 'block1_conv1/bias', BIAS);
    },
    'block1_conv1/kernel in x.h5 has shape [3, 3, 64, 3]; VGG16 needs [3, 3, 3, 64]',
  ],
  [
    'integers',
    (root) => {
      add(group(root, 'block1_conv1'), 'kernel', new Int32Array(1728), SHAPE);
      add(root, 'block1_conv1/bias', BIAS);
    },
    'block1_conv1/kernel in x.h5 does not hold floating-point numbers',
  ],
  [
    'another network, and groups in a circle',
    (root) => {
      add(group(root, 'conv2d_1'), 'kernel', KERNEL, SHAPE);
      for (let link = 0; link < 20; link++) root.create_hard_link('/', `conv2d_1/again${link}`);
    },
    'x.h5 holds no complete convolution of VGG16',
  ],
])('%s is refused, with names', async (_, write, message) => {
  const error = { code: 'bad-weights-file', message: expect.stringContaining(message) };
  await expect(parseWeights(h5(write), 'x.h5')).rejects.toMatchObject(error);
});

test('a file cut short is refused, and the next one read', async () => {
  const whole = h5((root) => {
    const layer = group(root, 'block1_conv1');
    add(layer, 'kernel', KERNEL, SHAPE);
    add(layer, 'bias', BIAS);
  });
  const error = { code: 'bad-weights-file', message: 'x.h5 is a damaged HDF5 file; fetch or save it again' };
  for (const length of [8, 100, whole.length - 1]) {
    await expect(parseWeights(whole.slice(0, length), 'x.h5')).rejects.toMatchObject(error);
  }
  expect((await parseWeights(whole, 'x.h5')).layers.size).toBe(1);
});
