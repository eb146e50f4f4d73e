import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Readings } from '@filterscope/statistics/readings';
import type { Engine, PreparedImage } from '@filterscope/vgg16/engine';
import { INPUT_SIZE, parseLayers } from '@filterscope/vgg16/layers';
import { naiveReadings } from '@filterscope/vgg16/reference-network';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { afterAll, describe, expect, test } from 'vitest';
import { createOnnxEngine } from './onnx-engine.ts';
import { createWebGpuEngine } from './webgpu-engine.ts';

// Runs where there is a GPU with a driver; any will do, SwiftShader's software one too.

const weights = syntheticWeights();
const layers = parseLayers(process.env['FILTERSCOPE_TEST_GPU_LAYERS'] ?? '..block1_conv2');
const BATCH = 3;

const engine = await createWebGpuEngine({ weights, layers, batch: BATCH }).catch((error: unknown) => {
  if (!(error instanceof FilterscopeError && error.code === 'engine-unavailable')) throw error;
  console.log(`skipped: ${error.message}`);
  return undefined;
});

/** A picture that is different for each number. */
function picture(number: number): PreparedImage {
  const length = INPUT_SIZE * INPUT_SIZE * 3;
  return Uint8Array.from({ length }, (_, i) => (i * (2 * number + 3) + ((i * i) >> 7)) % 256);
}
const pictures = [0, 1, 2, 3].map(picture);

describe.skipIf(engine === undefined)('a GPU', { timeout: 600_000 }, () => {
  const gpu = engine as Engine;
  afterAll(() => gpu[Symbol.asyncDispose]());

  test('says what ran', () => {
    const { name, version, processor } = gpu.identity;
    expect([name, version]).toEqual(['onnx-webgpu', expect.stringMatching(/^\d+\.\d+\.\d+ direct$/)]);
    expect(processor).toMatch(/^gpu-[0-9a-f]{8}$/);
    console.log(`${name} ${version} on ${processor}`);
  });

  test('gives an image the same bits wherever it lies in a batch, and beside what', async () => {
    const together = await gpu.infer(pictures, {});
    expect(new Set(together.map(({ readings }) => readings.max.join())).size).toBe(pictures.length);
    expect(await gpu.infer(pictures.toReversed(), {})).toEqual(together.toReversed());
    expect(await gpu.infer([pictures[0]], {})).toEqual([together[0]]);
  });

  test('shares the GPU with another engine of the same process', async () => {
    await using other = await createWebGpuEngine({ weights, layers: layers.slice(0, 1), batch: 1 });
    const [[alone], [alone2]] = [await gpu.infer([pictures[0]], {}), await other.infer([pictures[1]], {})];
    const both = await Promise.all([
      ...Array.from({ length: 4 }, () => gpu.infer([pictures[0]], {})),
      ...Array.from({ length: 4 }, () => other.infer([pictures[1]], {})),
    ]);
    for (const [i, [result]] of both.entries()) expect(result).toEqual(i < 4 ? alone : alone2);
  });

  test('reads what is in its activations: zeros, maximum and its first position exactly, mean to 1e-5', async () => {
    const images = [pictures[0], new Uint8Array(INPUT_SIZE * INPUT_SIZE * 3).fill(77)];
    for (const image of images) {
      const [{ readings }] = await gpu.infer([image], {});
      const [{ activations }] = await gpu.infer([image], { maps: { kind: 'activations' } });
      const naive = naiveReadings(layers, activations!);
      expect(readings.zeros).toEqual(naive.zeros);
      expect(Array.from(readings.max)).toEqual(Array.from(naive.max));
      expect(readings.position).toEqual(naive.position);
      const errors = naive.mean.map((mean, i) => Math.abs(readings.mean[i] - mean) / (mean || 1));
      expect(Math.max(...errors)).toBeLessThan(1e-5);
    }
  });

  test('agrees with the processor', async () => {
    await using cpu = await createOnnxEngine({ weights, layers, threads: 2, method: 'direct' });
    const [a, b] = [await gpu.infer(pictures, {}), await cpu.infer(pictures, {})];
    for (const [i, { readings }] of a.entries()) {
      const { flips, max, positions } = difference(readings, b[i].readings);
      console.log(`picture ${i}: ${flips} flips, maxima ${max.toExponential(1)}, ${positions} positions`);
      expect(flips / (layers.length * INPUT_SIZE ** 2)).toBeLessThan(1e-3); // of 64 maps and more
      expect(max).toBeLessThan(1e-5);
    }
    const request = { maps: { kind: 'tile' } } as const;
    const [[tiles], [expected]] = [
      await gpu.infer([pictures[0]], request),
      await cpu.infer([pictures[0]], request),
    ];
    expect(tiles.readings).toEqual(a[0].readings); // which network an image comes to depends on the moment
    for (const [i, plane] of tiles.tiles!.entries()) {
      const other = expected.tiles![i];
      expect(plane.length).toBe(other.length);
      expect(plane.reduce((most, value, at) => Math.max(most, Math.abs(value - other[at])), 0)).toBeLessThan(
        2,
      );
    }
  });
});

/** Of two readings of the same image: zeros that differ at least, the largest difference of maxima, relative to the largest, and maxima elsewhere. */
function difference(a: Readings, b: Readings) {
  const largest = b.max.reduce((x, y) => Math.max(x, y));
  return {
    flips: a.zeros.reduce((sum, zeros, i) => sum + Math.abs(zeros - b.zeros[i]), 0),
    max: a.max.reduce((most, max, i) => Math.max(most, Math.abs(max - b.max[i])), 0) / largest,
    positions: a.position.reduce((sum, position, i) => sum + Number(position !== b.position[i]), 0),
  };
}
