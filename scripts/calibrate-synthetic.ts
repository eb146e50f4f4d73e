/**
 * Calibrates the synthetic network: `node scripts/calibrate-synthetic.ts [FOLDER]` computes its constants layer by layer
 * from the photos in a folder (default: the nine of @stdlib) and writes them into packages/vgg16; with `--check` it only
 * measures what the constants there give on those photos.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { PbfWriter } from 'pbf';
import sharp from 'sharp';
import { INPUT_SIZE, LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { preprocessPixels } from '@filterscope/vgg16/preprocessing';
import { PUBLISHED_ZERO_SHARES } from '@filterscope/vgg16/published';
import { syntheticBias, syntheticKernel } from '@filterscope/vgg16/synthetic';
import { SYNTHETIC_CONSTANTS, type SyntheticConstants } from '@filterscope/vgg16/synthetic-constants';

/** Chosen, a layer each: root mean square before bias and ReLU, which sets the largest activations … */
const RMS = [35, 55, 70, 80, 90, 90, 90, 70, 60, 50, 40, 25, 20];
/** … and the spread of the biases in units of it, which sets how filters differ and how many are blank. */
const SPREAD = [0.3, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9, 0.9, 1.1, 1.3, 1.2, 1.2, 1.4];

const root = new URL('../', import.meta.url);
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean' } },
});
const photos = positionals[0] === undefined ? await stdlibPhotos() : await photosIn(positionals[0]);
const session = await InferenceSession.create(convolutionModel());
const found: SyntheticConstants[] = [];

let maps = await Promise.all(photos.map(networkInput));
console.log(`${photos.length} photos; shares in %`);
console.log('layer         published  zero share  filters 5 % 50 % 95 %  blank  dead     max');
for (const [index, layer] of LAYERS.entries()) {
  const sums = await convolve(layer, maps);
  const constants = values.check === true ? SYNTHETIC_CONSTANTS[index] : calibrate(layer, index, sums);
  found.push(constants);
  maps = activate(layer, constants, sums);
  console.log(describe(layer, maps));
  if (layer.pooled) maps = maps.map((map) => pool(layer, map));
}
if (values.check !== true) {
  const path = new URL('packages/vgg16/src/synthetic-constants.ts', root);
  await writeFile(path, constantsFile(found));
  console.log(`written: ${fileURLToPath(path)}`);
}

async function stdlibPhotos(): Promise<string[]> {
  const folder = fileURLToPath(new URL('node_modules/@stdlib/', root));
  const names = (await readdir(folder)).filter((name) => name.startsWith('datasets-img-'));
  return names.map((name) => join(folder, name, 'data', 'image.jpg'));
}

async function photosIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => ['.jpg', '.jpeg', '.png'].includes(extname(name)))
    .map((name) => join(folder, name));
}

/** A photo as the network's input: shorter side 256, centre 224. */
async function networkInput(path: string): Promise<Float32Array> {
  const square = sharp(path).autoOrient().resize(256, 256, { fit: 'cover', kernel: 'linear' });
  const centre = square.extract({ left: 16, top: 16, width: INPUT_SIZE, height: INPUT_SIZE });
  return preprocessPixels(await centre.removeAlpha().toColourspace('srgb').raw().toBuffer(), 'keras');
}

/** ONNX: y = Conv(x, w), 3×3 with padding 1, for any number of channels. Field numbers are those of onnx.proto3. */
function convolutionModel(): Uint8Array {
  const pbf = new PbfWriter();
  const message = (field: number, write: () => void): void => pbf.writeMessage(field, write, undefined);
  const float = (field: number, name: string): void =>
    message(field, () => {
      pbf.writeStringField(1, name);
      message(2, () => message(1, () => pbf.writeVarintField(1, 1)));
    });
  pbf.writeVarintField(1, 8);
  message(7, () => {
    message(1, () => {
      for (const input of ['x', 'w']) pbf.writeStringField(1, input);
      pbf.writeStringField(2, 'y');
      pbf.writeStringField(4, 'Conv');
      message(5, () => {
        pbf.writeStringField(1, 'pads');
        for (let side = 0; side < 4; side++) pbf.writeVarintField(8, 1);
        pbf.writeVarintField(20, 7);
      });
    });
    pbf.writeStringField(2, 'layer');
    for (const input of ['x', 'w']) float(11, input);
    float(12, 'y');
  });
  message(8, () => pbf.writeVarintField(2, 17));
  return pbf.finish();
}

/** The sums of a layer's kernel with gain 1, before bias and ReLU, an image each. */
async function convolve(layer: ConvolutionLayer, maps: readonly Float32Array[]): Promise<Float32Array[]> {
  const { inputs, filters, size } = layer;
  const kernel = syntheticKernel(layer, 1);
  const oihw = new Float32Array(kernel.length);
  for (let at = 0; at < kernel.length; at++) {
    const [tap, input, filter] = [
      Math.floor(at / (inputs * filters)),
      Math.floor(at / filters) % inputs,
      at % filters,
    ];
    oihw[(filter * inputs + input) * 9 + tap] = kernel[at];
  }
  const w = new Tensor('float32', oihw, [filters, inputs, 3, 3]);
  const sums: Float32Array[] = [];
  for (const map of maps) {
    const { y } = await session.run({ x: new Tensor('float32', map, [1, inputs, size, size]), w });
    if (!(y.data instanceof Float32Array)) throw new TypeError('the convolution gave no float32');
    sums.push(y.data);
  }
  return sums;
}

function calibrate(
  layer: ConvolutionLayer,
  index: number,
  sums: readonly Float32Array[],
): SyntheticConstants {
  let squares = 0;
  for (const sum of sums) for (const value of sum) squares += value * value;
  const rms = Math.sqrt(squares / (sums.length * layer.filters * layer.positions));
  const gain = rounded(RMS[index] / rms);
  const spread = rounded(RMS[index] * SPREAD[index]);
  const target = PUBLISHED_ZERO_SHARES.keras.get(layer.layer) ?? 0;
  let [low, high] = [-20 * RMS[index], 20 * RMS[index]];
  while (high - low > 1e-4 * RMS[index]) {
    const bias = (low + high) / 2;
    if (shareOfZeros(layer, { gain, bias, spread }, sums) > target) low = bias;
    else high = bias;
  }
  return { gain, bias: rounded(high), spread };
}

function shareOfZeros(
  layer: ConvolutionLayer,
  constants: SyntheticConstants,
  sums: readonly Float32Array[],
): number {
  const thresholds = syntheticBias(layer, constants).map((bias) => -bias / constants.gain);
  let zeros = 0;
  for (const sum of sums) {
    for (let at = 0; at < sum.length; at++)
      if (sum[at] <= thresholds[Math.floor(at / layer.positions)]) zeros++;
  }
  return zeros / (sums.length * layer.filters * layer.positions);
}

function activate(
  layer: ConvolutionLayer,
  constants: SyntheticConstants,
  sums: readonly Float32Array[],
): Float32Array[] {
  const bias = syntheticBias(layer, constants);
  const { gain } = constants;
  return sums.map((sum) =>
    sum.map((value, at) => Math.max(0, gain * value + bias[Math.floor(at / layer.positions)])),
  );
}

function pool({ filters, size }: ConvolutionLayer, map: Float32Array): Float32Array {
  const half = size / 2;
  const pooled = new Float32Array(filters * half * half);
  for (let at = 0; at < map.length; at++) {
    const [row, column] = [Math.floor(at / size), at % size]; // rows of all filters, one after the other
    const to = (row >> 1) * half + (column >> 1);
    pooled[to] = Math.max(pooled[to], map[at]);
  }
  return pooled;
}

function describe(layer: ConvolutionLayer, maps: readonly Float32Array[]): string {
  const share = new Float64Array(layer.filters);
  const blank = new Float64Array(layer.filters);
  let max = 0;
  for (const map of maps) {
    for (let filter = 0; filter < layer.filters; filter++) {
      let zeros = 0;
      for (const value of map.subarray(filter * layer.positions, (filter + 1) * layer.positions)) {
        if (value === 0) zeros++;
        if (value > max) max = value;
      }
      share[filter] += zeros / layer.positions / maps.length;
      if (zeros === layer.positions) blank[filter] += 1 / maps.length;
    }
  }
  const sorted = share.toSorted();
  const quantiles = [0.05, 0.5, 0.95].map((q) => sorted[Math.floor(q * sorted.length)]);
  const shares = [PUBLISHED_ZERO_SHARES.keras.get(layer.layer) ?? 0, mean(share), ...quantiles, mean(blank)];
  const [published, zero, ...rest] = shares.map((value) => (100 * value).toFixed(2).padStart(6));
  const dead = blank.filter((value) => value > 1 - 1e-9).length;
  return `${layer.layer}    ${published}      ${zero}      ${rest.join(' ')}  ${String(dead).padStart(4)}  ${max.toFixed(0).padStart(6)}`;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function rounded(value: number): number {
  return Number(value.toPrecision(5));
}

function constantsFile(constants: readonly SyntheticConstants[]): string {
  const rows = constants.map(
    ({ gain, bias, spread }) => `  { gain: ${gain}, bias: ${bias}, spread: ${spread} },`,
  );
  return `/** What the synthetic network knows of a layer. */
export interface SyntheticConstants {
  /** Factor of the kernel. */
  readonly gain: number;
  /** Middle of the biases: what sets the layer's zero share. */
  readonly bias: number;
  /** Half the width of the biases' distribution: what makes filters differ in their zero shares. */
  readonly spread: number;
}

/** A layer each, in network order. Written by \`scripts/calibrate-synthetic.ts\`. */
export const SYNTHETIC_CONSTANTS: readonly SyntheticConstants[] = [
${rows.join('\n')}
];
`;
}
