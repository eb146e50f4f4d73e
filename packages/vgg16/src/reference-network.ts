import type { LayerShape, Readings } from '@filterscope/statistics/readings';
import type { ConvolutionLayer } from './layers.ts';
import type { ConvolutionWeights } from './weights.ts';

// The network and its readings once more, by the definition and nothing else: what the engines are checked against.

/** A 3×3 convolution with padding 1, and ReLU: `[input, row, column]` to `[filter, row, column]`, in float64. */
export function naiveConvolution(
  input: Float64Array,
  { kernel, bias }: ConvolutionWeights,
  { inputs, filters, size }: ConvolutionLayer,
): Float64Array {
  const plane = size * size;
  const output = new Float64Array(filters * plane);
  for (let filter = 0; filter < filters; filter++) {
    output.fill(bias[filter], filter * plane, (filter + 1) * plane);
    for (let channel = 0; channel < inputs; channel++) {
      for (let tap = 0; tap < 9; tap++) {
        const weight = kernel[(tap * inputs + channel) * filters + filter];
        const down = Math.floor(tap / 3) - 1;
        const right = (tap % 3) - 1;
        for (let row = Math.max(0, -down); row < Math.min(size, size - down); row++) {
          const to = filter * plane + row * size;
          const from = channel * plane + (row + down) * size + right;
          for (let column = Math.max(0, -right); column < Math.min(size, size - right); column++) {
            output[to + column] += weight * input[from + column];
          }
        }
      }
    }
  }
  return output.map((sum) => Math.max(0, sum));
}

/** The largest of each 2×2 square, `[filter, row, column]`. */
export function naivePool<Values extends Float32Array | Float64Array>(
  maps: Values,
  { filters, size }: ConvolutionLayer,
): Values {
  const half = size / 2;
  const pooled = maps.slice(0, filters * half * half) as Values;
  for (let filter = 0; filter < filters; filter++) {
    for (let row = 0; row < half; row++) {
      for (let column = 0; column < half; column++) {
        const at = (filter * size + 2 * row) * size + 2 * column;
        pooled[(filter * half + row) * half + column] = Math.max(
          maps[at],
          maps[at + 1],
          maps[at + size],
          maps[at + size + 1],
        );
      }
    }
  }
  return pooled;
}

/** What is measured of each filter, by looking at every activation: the means in float64. */
export interface NaiveReadings extends Omit<Readings, 'mean'> {
  readonly mean: Float64Array;
}

/** @param maps an array a layer, `[filter, row, column]` */
export function naiveReadings(
  layers: readonly LayerShape[],
  maps: readonly (Float32Array | Float64Array)[],
): NaiveReadings {
  const zeros: number[] = [];
  const max: number[] = [];
  const mean: number[] = [];
  const position: number[] = [];
  for (const [index, { filters, positions }] of layers.entries()) {
    for (let filter = 0; filter < filters; filter++) {
      const map = maps[index].subarray(filter * positions, (filter + 1) * positions);
      let [zerosOfMap, sum, largest, first] = [0, 0, -Infinity, 0];
      for (const [at, activation] of map.entries()) {
        if (activation === 0) zerosOfMap++;
        sum += activation;
        if (activation > largest) [largest, first] = [activation, at];
      }
      zeros.push(zerosOfMap);
      max.push(largest);
      mean.push(sum / positions);
      position.push(first);
    }
  }
  return {
    zeros: Uint16Array.from(zeros),
    max: Float32Array.from(max),
    mean: Float64Array.from(mean),
    position: Uint16Array.from(position),
  };
}
