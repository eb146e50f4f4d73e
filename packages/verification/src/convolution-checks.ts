import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { preprocessPixels } from '@filterscope/vgg16/preprocessing';
import { naiveConvolution, naivePool } from '@filterscope/vgg16/reference-network';
import type { Weights } from '@filterscope/vgg16/weights';
import { measured, type Check } from './check.ts';
import { ARITHMETIC, largestDifference, largestOf, worstOf, type Maps } from './differences.ts';
import type { EngineUnderTest } from './engine-under-test.ts';

/** The first layer, whole, from the picture's bytes on in float64. */
export function firstLayer({ weights, layers: [layer], image }: EngineUnderTest, [maps]: Maps): Check {
  const input = Float64Array.from(preprocessPixels(image, weights.flavour));
  const expected = naiveConvolution(input, weights.layers.get(layer.layer)!, layer);
  const { deviation } = largestDifference(expected, maps);
  return measured(
    'convolution: first layer',
    deviation,
    ARITHMETIC,
    `all ${maps.length.toLocaleString('en-US')} activations of ${layer.layer} against loops in float64, of the largest`,
  );
}

/** Positions looked at in each filter of a layer: its corners and edges, where padding counts, and some within. */
const SAMPLED = 24;

/** Each further layer from the activations that the engine gives of the one before, pooled where pooling comes between. */
export function deeperLayers({ weights, layers }: EngineUnderTest, maps: Maps): Check {
  const worst = worstOf(
    layers.slice(1).map((layer, i) => {
      const before = layers[i];
      const input = before.pooled ? naivePool(maps[i], before) : maps[i];
      return { layer: layer.layer, deviation: sampledDifference(layer, weights, input, maps[i + 1]) };
    }),
  );
  const count = layers.slice(1).reduce((sum, { filters }) => sum + filters * SAMPLED, 0);
  return measured(
    'convolution: deeper layers',
    worst.deviation,
    ARITHMETIC,
    `${count.toLocaleString('en-US')} activations, borders among them, from those of the layer before, pooled where it is: against sums in float64, of the layer's largest; worst in ${worst.layer}`,
  );
}

function sampledDifference(
  layer: ConvolutionLayer,
  weights: Weights,
  input: Float32Array,
  maps: Float32Array,
): number {
  const { filters, size, positions, inputs } = layer;
  const { kernel, bias } = weights.layers.get(layer.layer)!;
  let error = 0;
  for (let filter = 0; filter < filters; filter++) {
    for (let sample = 0; sample < SAMPLED; sample++) {
      const [row, column] = samplePlace(size, filter * SAMPLED + sample, sample);
      let sum = bias[filter];
      for (let tap = 0; tap < 9; tap++) {
        const [y, x] = [row + Math.floor(tap / 3) - 1, column + (tap % 3) - 1];
        if (y < 0 || x < 0 || y >= size || x >= size) continue;
        for (let channel = 0; channel < inputs; channel++)
          sum +=
            kernel[(tap * inputs + channel) * filters + filter] * input[channel * positions + y * size + x];
      }
      error = Math.max(error, Math.abs(Math.max(0, sum) - maps[filter * positions + row * size + column]));
    }
  }
  return error / largestOf(maps);
}

/** Corners, then edges, then places within by a fixed rule that spreads them. */
function samplePlace(size: number, number: number, sample: number): readonly [number, number] {
  const last = size - 1;
  const along = (number * 7919) % size;
  const places = [
    [0, 0],
    [0, last],
    [last, 0],
    [last, last],
    [0, along],
    [last, along],
    [along, 0],
    [along, last],
  ] as const;
  return places[sample] ?? [along, (number * 104_729) % size];
}

/** Two ways of computing the same, layer by layer. */
export function methodsCheck(
  layers: readonly ConvolutionLayer[],
  { check, names }: { check: string; names: string },
  a: Maps,
  b: Maps,
): Check {
  let [flips, positions] = [0, 0];
  const differences = layers.map(({ layer }, i) => {
    for (const [at, value] of a[i].entries()) if ((value === 0) !== (b[i][at] === 0)) flips++;
    positions += a[i].length;
    return { layer, ...largestDifference(a[i], b[i]) };
  });
  const worst = worstOf(differences);
  return measured(
    check,
    worst.deviation,
    ARITHMETIC,
    `${names}, of the layer's largest; worst in ${worst.layer}; ${flips} of ${positions.toLocaleString('en-US')} positions are 0 in one only`,
  );
}
