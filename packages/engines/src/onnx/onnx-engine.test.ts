import { setImmediate } from 'node:timers/promises';
import type { ImageResult, PreparedImage } from '@filterscope/vgg16/engine';
import { INPUT_SIZE, parseLayers } from '@filterscope/vgg16/layers';
import { PREPROCESSING } from '@filterscope/vgg16/preprocessing';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Weights } from '@filterscope/vgg16/weights';
import { describe, expect, test } from 'vitest';
import { createOnnxEngine } from './onnx-engine.ts';

const weights = syntheticWeights();
const layers = parseLayers('..block2_conv1');
const first = parseLayers('block1_conv1');
const POSITIONS = INPUT_SIZE * INPUT_SIZE;
const at = (row: number, column: number) => row * INPUT_SIZE + column;

/** A picture that is different for each number. */
function picture(number: number): PreparedImage {
  return Uint8Array.from({ length: POSITIONS * 3 }, (_, i) => (i * (2 * number + 3) + ((i * i) >> 7)) % 256);
}

describe('an engine', () => {
  test('says what ran', async () => {
    await using engine = await createOnnxEngine({ weights, layers: first, threads: 2 });
    const { name, version, processor } = engine.identity;
    expect(name).toBe('onnx-cpu');
    expect(version).toMatch(/^\d+\.\d+\.\d+ (direct|winograd)$/);
    expect(processor).not.toBe('');
    expect(engine.parallel).toBe(2);
  });

  test('gives the same bits again, whatever ran before it and on however many threads', async () => {
    const images = [0, 1, 2, 3, 4].map(picture);
    await using one = await createOnnxEngine({ weights, layers, threads: 1 });
    await using two = await createOnnxEngine({ weights, layers, threads: 2 });
    const expected = await one.infer(images, {});
    expect(new Set(expected.map(({ readings }) => readings.max.join())).size).toBe(images.length);
    expect(await one.infer(images.toReversed(), {})).toEqual(expected.toReversed());
    expect(await two.infer(images, {})).toEqual(expected);
    const singly: ImageResult[] = [];
    for (const image of images) singly.push(...(await two.infer([image], {})));
    expect(singly).toEqual(expected);
  });

  test('finds the first of equal maxima in raster order, counts zeros, and tells blank from constant', async () => {
    // Filters that copy a channel, less 100; give 5 everywhere; give nothing; give the smallest normal number.
    const constant = [5, -1, 1.1754943508222875e-38];
    const bias = Float32Array.from([
      ...PREPROCESSING.keras.mean.map((mean) => Math.fround(mean) - 100),
      ...constant,
    ]);
    await using engine = await createOnnxEngine({ weights: copying(bias), layers: first, threads: 1 });
    const image = new Uint8Array(POSITIONS * 3).fill(100);
    for (const position of [at(5, 100), at(7, 3)]) image[position * 3] = 200; // red: column by column (7, 3) is first
    for (const position of [at(9, 60), at(9, 50)]) image[position * 3 + 1] = 200; // green
    image[at(223, 223) * 3 + 2] = 200; // blue
    const [{ readings }] = await engine.infer([image], {});
    const { zeros, max, mean, position } = readings;
    expect(Array.from(position.subarray(0, 6))).toEqual([at(223, 223), at(9, 50), at(5, 100), 0, 0, 0]);
    expect(Array.from(zeros.subarray(0, 6))).toEqual([
      POSITIONS - 1,
      POSITIONS - 2,
      POSITIONS - 2,
      0,
      POSITIONS,
      0,
    ]);
    expect(Array.from(max.subarray(0, 6))).toEqual(
      [100, 100, 100, 5, 0, constant[2]].map((value) => expect.closeTo(value, 4)),
    );
    expect(max[5]).toBe(constant[2]);
    expect(mean[0]).toBeCloseTo(100 / POSITIONS, 7);
    expect(mean[1]).toBeCloseTo(200 / POSITIONS, 7);
    expect(mean[3]).toBeCloseTo(5, 4);
    expect(mean[4]).toBe(0);
  });

  test('names the layer that the weights lack', async () => {
    const lacking = { ...weights, layers: new Map(weights.layers) };
    lacking.layers.delete('block1_conv2');
    const engine = createOnnxEngine({ weights: lacking, layers, threads: 1 });
    const error = { code: 'missing-layer', message: expect.stringContaining('block1_conv2') };
    await expect(engine).rejects.toMatchObject(error);
  });

  test('stops while it prepares its weights when its signal is aborted', async () => {
    const abort = new AbortController();
    const engine = createOnnxEngine({ weights, layers, threads: 1, signal: abort.signal });
    abort.abort(new Error('no more'));
    await expect(engine).rejects.toThrow('no more');
  });

  test('refuses work once it is closed, after finishing what it had', async () => {
    const engine = await createOnnxEngine({ weights, layers: first, threads: 1 });
    const begun = engine.infer([picture(0), picture(1)], {});
    await engine[Symbol.asyncDispose]();
    expect(await begun).toHaveLength(2);
    await expect(engine.infer([picture(0)], {})).rejects.toMatchObject({ code: 'engine-closed' });
  });

  test('fails an image that the runtime cannot run, and carries on with the next', async () => {
    await using engine = await createOnnxEngine({ weights, layers: first, threads: 1 });
    const failure = { code: 'engine-failed', class: 'transient' };
    await expect(engine.infer([new Uint8Array(10)], {})).rejects.toMatchObject(failure);
    expect(await engine.infer([picture(0)], {})).toHaveLength(1);
  });

  test('fails every image when its graph cannot be built, and closes all the same', async () => {
    const { bias } = weights.layers.get('block1_conv1')!;
    const broken = { ...weights, layers: new Map([['block1_conv1', { kernel: new Float32Array(7), bias }]]) };
    const engine = await createOnnxEngine({ weights: broken, layers: first, threads: 1 });
    const failure = { code: 'engine-failed', class: 'transient' };
    await expect(engine.infer([picture(0)], {})).rejects.toMatchObject(failure);
    await expect(engine.infer([picture(0)], {})).rejects.toMatchObject(failure);
    await engine[Symbol.asyncDispose]();
  });

  test('lets go of an image that waits when its signal is aborted', async () => {
    await using engine = await createOnnxEngine({ weights, layers: first, threads: 1 });
    const abort = new AbortController();
    const begun = engine.infer([picture(0)], {});
    const waiting = engine.infer([picture(1)], {}, abort.signal);
    abort.abort(new Error('no more'));
    await expect(waiting).rejects.toThrow('no more');
    expect(await begun).toHaveLength(1);
  });

  test('finishes an image in work when its signal is aborted, and begins none for one that is aborted already', async () => {
    await using engine = await createOnnxEngine({ weights, layers: first, threads: 1 });
    const abort = new AbortController();
    const begun = engine.infer([picture(0)], {}, abort.signal);
    await setImmediate();
    abort.abort(new Error('no more'));
    expect(await begun).toHaveLength(1);
    await expect(engine.infer([picture(1)], {}, abort.signal)).rejects.toThrow('no more');
  });
});

/** Weights whose first three filters copy blue, green and red; the others are constant. */
function copying(firstBiases: Float32Array): Weights {
  const filters = 64;
  const kernel = new Float32Array(3 * 3 * 3 * filters);
  const centre = 4;
  for (let channel = 0; channel < 3; channel++) kernel[(centre * 3 + channel) * filters + channel] = 1;
  const bias = new Float32Array(filters);
  bias.set(firstBiases);
  return {
    flavour: 'keras',
    synthetic: true,
    name: 'copying',
    layers: new Map([['block1_conv1', { kernel, bias }]]),
  };
}
