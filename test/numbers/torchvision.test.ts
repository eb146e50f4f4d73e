import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { samplePhotoPaths, samplePhotos } from '@filterscope/verification/sample-photos';
import { filterCount, type Readings } from '@filterscope/statistics/readings';
import type { PreparedImage } from '@filterscope/vgg16/engine';
import { LAYERS } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolders } from '../support/temporary-folders.ts';

// All thirteen layers against torchvision's own network and transforms, where Python has them. Weights are random ones, which torchvision
// makes itself, because its trained ones would have to be downloaded.

const missing = spawnSync('python3', ['-c', 'import PIL, safetensors, torchvision'], { encoding: 'utf8' });
const reason = missing.error?.message ?? missing.stderr.trim().split('\n').at(-1)!;
if (missing.status !== 0) console.log(`skipped: no torchvision to compare with (${reason})`);

const PHOTOS = samplePhotoPaths();
const FILTERS = filterCount(LAYERS);
const PICTURE_BYTES = 224 * 224 * 3;

const newFolder = temporaryFolders();

describe.skipIf(missing.status !== 0)('torchvision itself', { timeout: 300_000 }, () => {
  let weights: Weights;
  let pictures: Uint8Array[];
  let reference: Readings[];

  beforeAll(async () => {
    const folder = await newFolder();
    const script = fileURLToPath(new URL('torchvision_reference.py', import.meta.url));
    const { status, stderr } = spawnSync('python3', [script, folder, ...PHOTOS], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const file = async (name: string) => new Uint8Array(await readFile(join(folder, name))).buffer;
    weights = await parseWeights(new Uint8Array(await file('weights.safetensors')), 'weights.safetensors');
    const pixels = new Uint8Array(await file('pixels.u8'));
    const zeros = new Int32Array(await file('zeros.i4'));
    const max = new Float32Array(await file('max.f4'));
    const position = new Int32Array(await file('position.i4'));
    const mean = new Float64Array(await file('mean.f8'));
    pictures = PHOTOS.map((_, i) => pixels.subarray(i * PICTURE_BYTES, (i + 1) * PICTURE_BYTES));
    reference = PHOTOS.map((_, i) => ({
      zeros: Uint16Array.from(of(zeros, i)),
      max: of(max, i),
      position: Uint16Array.from(of(position, i)),
      mean: Float32Array.from(of(mean, i)),
    }));
  }, 300_000);

  test.each(['direct', 'winograd'] as const)('of the same bytes the same readings, %s', async (method) => {
    const readings = await readingsOf(weights, pictures, method);
    for (const layer of differencesByLayer(readings, reference)) {
      console.log(`${method} ${JSON.stringify(layer)}`);
      expect(layer.zeroFlips).toBeLessThan(5e-6);
      expect(layer.max).toBeLessThan(5e-6);
      expect(layer.mean).toBeLessThan(1e-6);
      expect(layer.positions).toBeLessThan(1e-3);
    }
  });

  test('of the same files nearly the same picture, and zero shares to 0.7 points', async () => {
    const own = await samplePhotos();
    for (const [i, picture] of own.entries()) {
      const squares = picture.reduce((sum, value, at) => sum + (value - pictures[i][at]) ** 2, 0);
      const rms = Math.sqrt(squares / PICTURE_BYTES);
      console.log(`${PHOTOS[i].split('/').at(-3)}: ${rms.toFixed(2)} grey levels rms`);
      expect(rms).toBeLessThan(0.7);
    }
    const readings = await readingsOf(weights, own, 'winograd');
    for (const layer of differencesByLayer(readings, reference)) {
      console.log(`files ${JSON.stringify(layer)}`);
      expect(Math.abs(layer.zeroShare)).toBeLessThan(0.007);
    }
  });
});

/** The readings of one image out of all. */
function of<Numbers extends { subarray(start: number, end: number): Numbers }>(
  all: Numbers,
  image: number,
): Numbers {
  return all.subarray(image * FILTERS, (image + 1) * FILTERS);
}

async function readingsOf(
  weights: Weights,
  images: readonly PreparedImage[],
  method: 'direct' | 'winograd',
): Promise<Readings[]> {
  await using engine = await createOnnxEngine({ weights, layers: LAYERS, threads: 2, method });
  return (await engine.infer(images, {})).map(({ readings }) => readings);
}

/** How far two networks' readings of the same images lie apart, a layer. */
function differencesByLayer(actual: readonly Readings[], expected: readonly Readings[]) {
  let start = 0;
  return LAYERS.map(({ layer, filters, positions }) => {
    const end = (start += filters);
    let [flips, largest, maxError, meanError, moved, shares] = [0, 0, 0, 0, 0, 0];
    for (const [image, a] of actual.entries()) {
      const b = expected[image];
      for (let i = end - filters; i < end; i++) {
        flips += Math.abs(a.zeros[i] - b.zeros[i]);
        shares += a.zeros[i] - b.zeros[i];
        largest = Math.max(largest, b.max[i]);
        maxError = Math.max(maxError, Math.abs(a.max[i] - b.max[i]));
        meanError = Math.max(meanError, Math.abs(a.mean[i] - b.mean[i]));
        if (a.position[i] !== b.position[i]) moved++;
      }
    }
    const maps = filters * actual.length;
    return {
      layer,
      /** Activations that are 0 in one and not in the other, at least, of all. */
      zeroFlips: flips / (maps * positions),
      zeroShare: shares / (maps * positions),
      /** In units of the layer's largest activation. */
      max: maxError / largest,
      mean: meanError / largest,
      /** Maxima elsewhere, of all. */
      positions: moved / maps,
    };
  });
}
