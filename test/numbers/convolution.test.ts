import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import type { ImageResult } from '@filterscope/vgg16/engine';
import { parseLayers, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { preprocessPixels } from '@filterscope/vgg16/preprocessing';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Weights } from '@filterscope/vgg16/weights';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import { expect, test } from 'vitest';
import { sharedData } from '../support/shared-data.ts';
import { naiveConvolution, naivePool, naiveReadings } from '@filterscope/vgg16/reference-network';
import { catPhoto } from './pictures.ts';

// From a photo's pixels through convolutions written out as loops in float64 to the readings: a second network.

const layers = parseLayers('..block2_conv1');
const torchvision = sharedData('weights/vgg16-torchvision-blocks1-2.safetensors');
/** What an activation may be off in float32, in units of its layer's largest: Winograd's sums cancel more. */
const TOLERANCES = { direct: 1e-6, winograd: 1.5e-5 } as const;
/** How many activations, next to 0, may be 0 in one network and not in the other. */
const FLIPPED = 5e-6;

test('keras flavour: readings and activations of the first three layers are those of loops in float64', async () => {
  await expectSameAsLoops(syntheticWeights());
});

test.skipIf(torchvision === undefined)('torchvision flavour, real weights: the same', async () => {
  await expectSameAsLoops(await parseWeights(torchvision!, 'torchvision'));
});

async function expectSameAsLoops(weights: Weights): Promise<void> {
  const image = await catPhoto();
  const maps = layersInFloat64(Float64Array.from(preprocessPixels(image, weights.flavour)), weights);
  for (const method of ['direct', 'winograd'] as const) {
    await using engine = await createOnnxEngine({ weights, layers, threads: 1, method });
    const [result] = await engine.infer([image], { maps: { kind: 'activations' } });
    expectSame(`${weights.name}, ${method}`, result, maps, TOLERANCES[method]);
  }
}

function expectSame(
  name: string,
  { readings, activations }: ImageResult,
  maps: readonly Float64Array[],
  tolerance: number,
): void {
  const naive = naiveReadings(layers, maps);
  let start = 0;
  for (const [index, { layer, filters, positions }] of layers.entries()) {
    const [expected, actual] = [maps[index], activations![index]];
    const largest = largestOf(expected);
    const error = largestOf(expected.map((value, at) => Math.abs(value - actual[at])));
    const flips = Array.from({ length: filters }, (_, filter) =>
      flipped(expected, actual, filter * positions, positions),
    );
    const allFlips = flips.reduce((sum, count) => sum + count, 0);
    console.log(
      `${name}, ${layer}: off by at most ${(error / largest).toExponential(1)} of the largest, ${allFlips} flips`,
    );
    expect(error).toBeLessThan(tolerance * largest);
    expect(allFlips).toBeLessThan(FLIPPED * filters * positions);
    for (let filter = 0; filter < filters; filter++) {
      const i = start + filter;
      const atMaximum = expected[filter * positions + readings.position[i]];
      expect(Math.abs(readings.zeros[i] - naive.zeros[i])).toBeLessThanOrEqual(flips[filter]);
      expect(Math.abs(readings.max[i] - naive.max[i])).toBeLessThanOrEqual(error);
      expect(Math.abs(readings.mean[i] - naive.mean[i])).toBeLessThanOrEqual(error + 1e-5 * naive.mean[i]);
      expect(naive.max[i] - atMaximum).toBeLessThanOrEqual(2 * error); // a rival may be as large, within the error
    }
    start += filters;
  }
}

/** Activations of one filter that are 0 in one of the two. */
function flipped(a: Float64Array, b: Float32Array, start: number, count: number): number {
  let flips = 0;
  for (let at = start; at < start + count; at++) if ((a[at] === 0) !== (b[at] === 0)) flips++;
  return flips;
}

function layersInFloat64(input: Float64Array, weights: Weights): Float64Array[] {
  let x = input;
  return layers.map((layer: ConvolutionLayer) => {
    const maps = naiveConvolution(x, weights.layers.get(layer.layer)!, layer);
    x = layer.pooled ? naivePool(maps, layer) : maps;
    return maps;
  });
}

const largestOf = (values: Float64Array) => values.reduce((largest, value) => Math.max(largest, value), 0);
