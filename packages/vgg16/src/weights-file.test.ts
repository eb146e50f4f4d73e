import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LAYERS, parseLayers } from './layers.ts';
import { encodeSafetensors, type Tensor } from './safetensors.ts';
import { sharedData } from './shared-data.test-support.ts';
import { canonicalWeights, parseWeights, requireLayers } from './weights-file.ts';
import type { Weights } from './weights.ts';

const [FIRST, SECOND] = LAYERS;

function numbers(length: number, seed = 1): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i * 7919 + seed) % 1000) / 500 - 1);
}

const kernel: Tensor = { dtype: 'F32', shape: [3, 3, 3, 64], data: numbers(1728) };
const bias: Tensor = { dtype: 'F32', shape: [64], data: numbers(64) };
const KERAS = { 'block1_conv1/kernel': kernel, 'block1_conv1/bias': bias };

/** The same kernel as torchvision lays it out. */
const oihw = Float32Array.from({ length: 1728 }, (_, i) => {
  const [filter, input, tap] = [Math.floor(i / 27), Math.floor(i / 9) % 3, i % 9];
  return Number(kernel.data[(tap * 3 + input) * 64 + filter]);
});
const TORCH = {
  'features.0.weight': { dtype: 'F32', shape: [64, 3, 3, 3], data: oihw },
  'features.0.bias': bias,
} satisfies Record<string, Tensor>;

const parse = (tensors: Record<string, Tensor>, metadata: Record<string, string> = {}): Promise<Weights> =>
  parseWeights(encodeSafetensors(tensors, metadata), 'my.safetensors');

test('Keras naming', async () => {
  const weights = await parse(KERAS);
  expect(weights).toMatchObject({ flavour: 'keras', synthetic: false, name: 'my.safetensors' });
  expect([...weights.layers.keys()]).toEqual(['block1_conv1']);
  expect(weights.layers.get('block1_conv1')).toEqual({ kernel: kernel.data, bias: bias.data });
});

test.each(['', 'module.', 'model.'])(
  'torchvision naming behind "%s" is transposed to HWIO',
  async (prefix) => {
    const tensors = Object.fromEntries(
      Object.entries(TORCH).map(([name, tensor]) => [prefix + name, tensor]),
    );
    const weights = await parse({ ...tensors, [`${prefix}classifier.0.bias`]: bias });
    expect(weights.flavour).toBe('torchvision');
    expect(weights.layers.get('block1_conv1')).toEqual({ kernel: kernel.data, bias: bias.data });
  },
);

test('the flavour asked for wins over the metadata, and the metadata over the naming', async () => {
  expect((await parse(TORCH, { flavour: 'keras' })).flavour).toBe('keras');
  const bytes = encodeSafetensors(TORCH, { flavour: 'keras' });
  expect((await parseWeights(bytes, 'x', { flavour: 'torchvision' })).flavour).toBe('torchvision');
  await expect(parse(TORCH, { flavour: 'caffe' })).rejects.toThrow('my.safetensors says flavour "caffe"');
});

test('a layer counts only with kernel and bias, and other tensors are left alone', async () => {
  const weights = await parse({
    ...KERAS,
    'block1_conv2/bias': bias,
    'fc1/kernel': bias,
    'block9_conv1/bias': bias,
  });
  expect([...weights.layers.keys()]).toEqual(['block1_conv1']);
});

test('float64 is narrowed', async () => {
  const wide: Tensor = { dtype: 'F64', shape: [64], data: Float64Array.from(numbers(64)) };
  expect((await parse({ ...KERAS, 'block1_conv1/bias': wide })).layers.get('block1_conv1')?.bias).toEqual(
    bias.data,
  );
});

const withNan = numbers(64);
withNan[3] = NaN;

test.each<[string, Record<string, Tensor>, string]>([
  [
    'a wrong shape',
    { ...KERAS, 'block1_conv1/kernel': { ...kernel, shape: [3, 3, 1, 192] } },
    'block1_conv1/kernel in my.safetensors has shape [3, 3, 1, 192]; VGG16 needs [3, 3, 3, 64]',
  ],
  [
    'a wrong shape in torchvision naming',
    { ...TORCH, 'features.0.weight': kernel },
    'features.0.weight in my.safetensors has shape [3, 3, 3, 64]; VGG16 needs [64, 3, 3, 3]',
  ],
  [
    'NaN',
    { ...KERAS, 'block1_conv1/bias': { ...bias, data: withNan } },
    'block1_conv1/bias in my.safetensors holds NaN (number 3)',
  ],
  [
    'integers',
    { ...KERAS, 'block1_conv1/bias': { dtype: 'I32', shape: [64], data: new Int32Array(64) } },
    'block1_conv1/bias in my.safetensors does not hold floating-point numbers',
  ],
  ['both namings', { ...KERAS, ...TORCH }, 'mixes'],
  ['twice the same', { ...KERAS, 'vgg/block1_conv1/bias': bias }, 'more than one bias of block1_conv1'],
  ['batch normalisation', { ...TORCH, 'features.1.running_mean': bias }, 'vgg16_bn'],
  ['nothing known', { a: bias, b: bias }, 'my.safetensors holds no complete convolution of VGG16'],
  ['nothing', {}, 'it holds nothing'],
])('%s is refused, with names', async (_, tensors, message) => {
  const error = { code: 'bad-weights-file', message: expect.stringContaining(message) };
  await expect(parse(tensors)).rejects.toMatchObject(error);
});

test('files of other kinds are refused with advice', async () => {
  const zip = Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 0, 0, 0);
  await expect(parseWeights(zip, 'vgg16.pth')).rejects.toThrow('safetensors.torch.save_file');
  const message = 'x.txt is no HDF5 file and not a safetensors file: it has 3 bytes';
  await expect(parseWeights(new Uint8Array(3), 'x.txt')).rejects.toMatchObject({
    code: 'bad-weights-file',
    message,
  });
});

test('the digest depends on numbers, flavour and synthetic alone', async () => {
  const keras = canonicalWeights(await parse(KERAS));
  expect(keras.sha256).toMatch(/^[0-9a-f]{64}$/);
  const same = await parseWeights(encodeSafetensors(TORCH), 'other name', { flavour: 'keras' });
  expect(canonicalWeights(same)).toEqual(keras);
  const others = await Promise.all([
    parse(TORCH),
    parse(KERAS, { synthetic: 'true' }),
    parse({ ...KERAS, 'block1_conv1/bias': { ...bias, data: numbers(64, 2) } }),
  ]);
  const digests = [keras, ...others.map((weights) => canonicalWeights(weights))].map(({ sha256 }) => sha256);
  expect(new Set(digests).size).toBe(4);
});

test('canonical bytes parse to the same weights', async () => {
  const weights = { ...(await parse(TORCH, { synthetic: 'true' })), name: 'synthetic' };
  expect(weights).toMatchObject({ synthetic: true, flavour: 'torchvision' });
  expect(await parseWeights(canonicalWeights(weights).bytes, 'anything')).toEqual(weights);
});

test('missing layers are named down to the deepest wanted, with what can be done', async () => {
  const weights = await parse(KERAS);
  requireLayers(weights, [FIRST]);
  const missing = (): void => requireLayers(weights, parseLayers('block2_conv1'));
  const message =
    'the weights my.safetensors lack the kernel or the bias of block1_conv2, block2_conv1: ' +
    'use --layers ..block1_conv1, or weights that hold them';
  expect(missing).toThrow(expect.objectContaining({ code: 'missing-layer', message }));
  const empty = { ...weights, layers: new Map() };
  expect(() => requireLayers(empty, [SECOND])).toThrow(
    'use weights that hold the network from block1_conv1 on',
  );
});

const kerasFile = sharedData('weights/vgg16-keras-blocks1-2.safetensors');
const torchFile = sharedData('weights/vgg16-torchvision-blocks1-2.safetensors');
const BLOCKS12 = ['block1_conv1', 'block1_conv2', 'block2_conv1', 'block2_conv2'];

test.skipIf(kerasFile === undefined)('the real Keras weights of blocks 1 and 2', async () => {
  const weights = await parseWeights(readFileSync(kerasFile ?? ''), 'keras.safetensors');
  expect(weights).toMatchObject({ flavour: 'keras', synthetic: false });
  expect([...weights.layers.keys()]).toEqual(BLOCKS12);
  const first = weights.layers.get('block1_conv1');
  const biases = [0.73429835, 0.093403675, 0.06775674, 0.8862966, 0.25994542, 0.66426694, -0.015828926];
  expect(first?.bias.subarray(0, 7)).toEqual(Float32Array.from(biases));
  const taps = [
    0.42947057, 0.373467, -0.061360113, 0.27476987, 0.038680777, -0.36722335, -0.05746817, -0.26224968,
  ];
  expect(taps.map((_, tap) => first?.kernel[tap * 3 * 64])).toEqual(taps.map(Math.fround));
  expect(() => requireLayers(weights, LAYERS)).toThrow('--layers ..block2_conv2');
});

test.skipIf(torchFile === undefined)('the real torchvision weights of blocks 1 and 2', async () => {
  const weights = await parseWeights(readFileSync(torchFile ?? ''), 'torchvision.safetensors');
  expect(weights.flavour).toBe('torchvision');
  expect([...weights.layers.keys()]).toEqual(BLOCKS12);
});
