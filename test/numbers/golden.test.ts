import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { INPUT_SIZE, parseLayers } from '@filterscope/vgg16/layers';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import { describe, expect, test } from 'vitest';
import { sharedData } from '../support/shared-data.ts';
import { naivePool } from '@filterscope/vgg16/reference-network';
import { printedArrays, type PrintedArray } from './printed-array.ts';

// What Keras printed for a photo in 2016, on another machine with another runtime. The printed corners of this photo are
// grey: they cannot tell red from blue, which convolution.test.ts does.

const weightsFile = sharedData('weights/vgg16-keras-blocks1-2.safetensors');
const goldenFile = sharedData('golden/persian_cat-input-224x224x3-BGR-meansub.f32');
const printed = sharedData('golden/persian_cat-printed-activations.txt');
const photo = sharedData('photos/wq-persian_cat.jpg');
const absent =
  weightsFile === undefined || goldenFile === undefined || printed === undefined || photo === undefined;

const METHODS = ['direct', 'winograd'] as const;
/** Keras's means, blue, green, red. */
const MEANS = [103.939, 116.779, 123.68];
/** On activations up to 1900: float32 adds 1,152 products in another order here than there. */
const TOLERANCE = 2e-3;

describe.skipIf(absent)('the golden photo, with real weights', () => {
  const layers = parseLayers('..block2_conv2');
  const golden = new Float32Array(new Uint8Array(goldenFile ?? []).buffer);
  const pixels = recoverPixels(golden);

  test('its input is bytes minus means, so that the bytes can be had back', () => {
    expect(golden).toHaveLength(INPUT_SIZE * INPUT_SIZE * 3);
    const rebuilt = golden.map((_, i) => pixels[i - (i % 3) + 2 - (i % 3)] - MEANS[i % 3]);
    // The next byte is 1 away: a hundred-thousandth is float32's rounding.
    expect(golden.findIndex((value, i) => Math.abs(value - rebuilt[i]) > 1e-5)).toBe(-1);
  });

  test.each(METHODS)('block1_conv1 … block2_pool, %s: as every value that Keras printed', async (method) => {
    const weights = await parseWeights(weightsFile!, 'keras');
    await using engine = await createOnnxEngine({ weights, layers, threads: 1, method });
    const [result] = await engine.infer([pixels], { maps: { kind: 'activations' } });
    const [conv1, conv2, conv3, conv4] = result.activations!;
    const [, second, , fourth] = layers;
    const expected = printedArrays(printed!.toString()).filter(({ shape }) => shape.length === 4);
    const stages = [
      ['block1_conv1', conv1],
      ['block1_conv2', conv2],
      ['block1_pool', naivePool(conv2, second)],
      ['block2_conv1', conv3],
      ['block2_conv2', conv4],
      ['block2_pool', naivePool(conv4, fourth)],
    ] as const;
    const differences = stages.map(([, maps], i) => largestDifference(maps, expected[i + 1]));
    const table = stages.map(([name], i) => `  ${name}  ${differences[i].toExponential(1)}`);
    console.log(
      `${method}: largest difference from Keras's 216 printed values of each:\n${table.join('\n')}`,
    );
    for (const difference of differences) expect(difference).toBeLessThan(TOLERANCE);
  });

  test('our own --fit stretch differs from it by less than 1.6 grey levels on average', async () => {
    const prepared = await prepareImage(photo!, 'stretch');
    if (prepared.status !== 'ok') throw new Error(prepared.message);
    const sum = pixels.reduce((total, byte, i) => total + Math.abs(byte - prepared.pixels[i]), 0);
    const average = sum / pixels.length;
    console.log(`--fit stretch against the golden input: ${average.toFixed(3)} grey levels on average`);
    expect(average).toBeLessThan(1.6);
  });
});

/** The photo as `[row, column, channel]` RGB, from blue, green, red minus means. */
function recoverPixels(golden: Float32Array): Uint8Array {
  const pixels = new Uint8Array(golden.length);
  for (let i = 0; i < golden.length; i++) {
    const channel = i % 3;
    pixels[i - channel + 2 - channel] = Math.round(golden[i] + MEANS[channel]);
  }
  return pixels;
}

/** @param maps `[filter, row, column]`, where the print is `[image, row, column, filter]` */
function largestDifference(maps: Float32Array, { shape, values }: PrintedArray): number {
  const [, height, width, filters] = shape;
  expect(maps).toHaveLength(height * width * filters);
  expect(values).toHaveLength(6 ** 3); // three at either end of three axes
  const differences = values.map(({ index: [, row, column, filter], value }) =>
    Math.abs(maps[(filter * height + row) * width + column] - value),
  );
  return Math.max(...differences);
}
