import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import type { Readings } from '@filterscope/statistics/readings';
import type { Engine, PreparedImage } from '@filterscope/vgg16/engine';
import { LAYERS, parseLayers, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Weights } from '@filterscope/vgg16/weights';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedData } from '../support/shared-data.ts';
import { naiveReadings } from '@filterscope/vgg16/reference-network';
import { plain, wallpaper } from '@filterscope/verification/pictures';
import { catPhoto } from './pictures.ts';

// Every reading of all thirteen layers, against a look at every one of the 13.5 million activations.

const photo = await catPhoto();
const torchvision = sharedData('weights/vgg16-torchvision-blocks1-2.safetensors');

/** Of a mean over up to 50,176 activations, which the graph adds in float32. */
const MEAN_TOLERANCE = 1e-5;

describe('readings computed in the graph', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await createOnnxEngine({ weights: syntheticWeights(), layers: LAYERS, threads: 1 });
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test.each([
    ['a photo', photo, 0],
    ['one colour', plain, 20],
    ['a wallpaper', wallpaper, 500],
  ])('%s: zeros, maximum and its position exactly, mean to 1e-5', async (name, image, ties) => {
    const [{ readings }] = await engine.infer([image], {});
    const [{ activations }] = await engine.infer([image], { maps: { kind: 'activations' } });
    const naive = naiveReadings(LAYERS, activations!);
    expect(differing(readings.zeros, naive.zeros)).toEqual([]);
    expect(differing(readings.max, naive.max)).toEqual([]);
    expect(differing(readings.position, naive.position)).toEqual([]);
    const errors = naive.mean.map((mean, i) => Math.abs(readings.mean[i] - mean) / (mean || 1));
    expect(Math.max(...errors)).toBeLessThan(MEAN_TOLERANCE);

    const tied = tiedFilters(activations!, naive.max);
    const blank = naive.max.filter((max) => max === 0).length;
    console.log(
      `${name}: mean to ${Math.max(...errors).toExponential(1)}; ${blank} filters blank, ${tied} with a tied maximum`,
    );
    expect(tied).toBeGreaterThanOrEqual(ties);
  });

  test('are the same when they come beside grey tiles', async () => {
    const [{ readings }] = await engine.infer([photo], {});
    const [beside] = await engine.infer([photo], { maps: { kind: 'tile' } });
    expect(differingReadings(beside.readings, readings)).toEqual([]);
  });

  test.each(['..block1_conv2', '..block3_conv1', 'block4_conv2', 'block2_conv2,block5_conv1'])(
    'do not depend on what else is measured: --layers %s',
    async (text) => {
      const [{ readings }] = await engine.infer([photo], {});
      const layers = parseLayers(text);
      const few = await readingsAlone(syntheticWeights(), layers, photo);
      expect(differingReadings(few, pick(readings, LAYERS, layers))).toEqual([]);
    },
  );
});

test.skipIf(torchvision === undefined)(
  "torchvision's real weights: readings do not depend on the depth of the network",
  async () => {
    const weights = await parseWeights(torchvision!, 'torchvision');
    const deep = parseLayers('..block2_conv2');
    const readings = await readingsAlone(weights, deep, photo);
    for (const text of ['block1_conv1', '..block1_conv2', '..block2_conv1', 'block2_conv2']) {
      const layers = parseLayers(text);
      const few = await readingsAlone(weights, layers, photo);
      expect(differingReadings(few, pick(readings, deep, layers))).toEqual([]);
    }
  },
);

async function readingsAlone(
  weights: Weights,
  layers: readonly ConvolutionLayer[],
  image: PreparedImage,
): Promise<Readings> {
  await using engine = await createOnnxEngine({ weights, layers, threads: 1 });
  const [{ readings }] = await engine.infer([image], {});
  return readings;
}

/** The readings of some of the layers. */
function pick(
  readings: Readings,
  layers: readonly ConvolutionLayer[],
  wanted: readonly ConvolutionLayer[],
): Readings {
  const filters = layers.flatMap((layer) => Array<boolean>(layer.filters).fill(wanted.includes(layer)));
  return {
    zeros: readings.zeros.filter((_, i) => filters[i]),
    max: readings.max.filter((_, i) => filters[i]),
    mean: readings.mean.filter((_, i) => filters[i]),
    position: readings.position.filter((_, i) => filters[i]),
  };
}

function differingReadings(a: Readings, b: Readings): string[] {
  const names = ['zeros', 'max', 'mean', 'position'] as const;
  return names.flatMap((name) => differing(a[name], b[name]).map((what) => `${name} ${what}`));
}

/** The first filters on which two arrays are not the same, bit by bit. */
function differing(a: ArrayLike<number>, b: ArrayLike<number>): string[] {
  if (a.length !== b.length) return [`${a.length} filters and ${b.length}`];
  const indices = Array.from(a, (_, i) => i).filter((i) => !Object.is(a[i], b[i]));
  return indices.slice(0, 5).map((i) => `filter ${i}: ${a[i]} and ${b[i]}`);
}

/** Filters that reach a positive maximum more than once. */
function tiedFilters(maps: readonly Float32Array[], max: Float32Array): number {
  let tied = 0;
  let filter = 0;
  for (const [index, { filters, positions }] of LAYERS.entries()) {
    for (let i = 0; i < filters; i++, filter++) {
      const map = maps[index].subarray(i * positions, (i + 1) * positions);
      const largest = max[filter];
      if (largest > 0 && map.indexOf(largest) !== map.lastIndexOf(largest)) tied++;
    }
  }
  return tied;
}
