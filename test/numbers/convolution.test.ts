import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { parseLayers, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { preprocessPixels } from '@filterscope/vgg16/preprocessing';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Weights } from '@filterscope/vgg16/weights';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import { expect, test } from 'vitest';
import { sharedData } from '../support/shared-data.ts';
import { naiveConvolution, naivePool, naiveReadings } from './naive-network.ts';
import { catPhoto } from './pictures.ts';

// From a photo's pixels through convolutions written out as loops in float64 to the readings: a second network.

const layers = parseLayers('..block2_conv1');
const torchvision = sharedData('weights/vgg16-torchvision-blocks1-2.safetensors');
/** What float32 may be off, in units of the layer's largest activation. */
const TOLERANCE = 1e-6;

test('keras flavour: readings and activations of the first three layers are those of loops in float64', async () => {
  await expectSameAsLoops(syntheticWeights());
});

test.skipIf(torchvision === undefined)('torchvision flavour, real weights: the same', async () => {
  await expectSameAsLoops(await parseWeights(torchvision!, 'torchvision'));
});

async function expectSameAsLoops(weights: Weights): Promise<void> {
  const image = await catPhoto();
  await using engine = await createOnnxEngine({ weights, layers, threads: 1 });
  const [{ readings, activations }] = await engine.infer([image], { maps: { kind: 'activations' } });
  const maps = layersInFloat64(preprocessPixels(image, weights.flavour), weights);
  const naive = naiveReadings(layers, maps);
  let filter = 0;
  for (const [index, { layer, filters, positions }] of layers.entries()) {
    const expected = maps[index];
    const margin = TOLERANCE * largestOf(expected);
    const error = largestOf(expected.map((value, at) => Math.abs(value - activations![index][at])));
    console.log(
      `${weights.name}, ${layer}: off by at most ${((error * TOLERANCE) / margin).toExponential(1)} of the largest`,
    );
    expect(error).toBeLessThan(margin);
    for (const end = filter + filters; filter < end; filter++) {
      const map = expected.subarray(
        (filter - end + filters) * positions,
        (filter - end + filters + 1) * positions,
      );
      expect(Math.abs(readings.max[filter] - naive.max[filter])).toBeLessThan(margin);
      expect(Math.abs(readings.mean[filter] - naive.mean[filter])).toBeLessThan(margin);
      // An activation next to 0 may be 0 in one of the two, and a maximum may have a rival.
      const doubtful =
        map.reduce((count, value) => count + (value < margin ? 1 : 0), 0) - naive.zeros[filter];
      expect(Math.abs(readings.zeros[filter] - naive.zeros[filter])).toBeLessThanOrEqual(doubtful + 2);
      expect(naive.max[filter] - map[readings.position[filter]]).toBeLessThan(2 * margin);
    }
  }
}

function layersInFloat64(input: ArrayLike<number>, weights: Weights): Float64Array[] {
  let x = input;
  return layers.map((layer: ConvolutionLayer) => {
    const maps = naiveConvolution(x, weights.layers.get(layer.layer)!, layer);
    x = layer.pooled ? naivePool(maps, layer) : maps;
    return maps;
  });
}

const largestOf = (values: Float64Array) => values.reduce((largest, value) => Math.max(largest, value), 0);
