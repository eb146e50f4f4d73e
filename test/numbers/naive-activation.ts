import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';

/** A value of the network's input, already preprocessed; 0 outside of the picture. */
export type InputAt = (channel: number, row: number, column: number) => number;

/** Part of a layer's maps, or of what goes into it; what lies outside of them is 0. */
interface Region {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/**
 * One activation by the definition and nothing else, in float64: what it depends on is looked up backwards through the layers,
 * without any knowledge of receptive fields.
 */
export function activationOf(
  weights: Weights,
  input: InputAt,
  layer: ConvolutionLayer,
  filter: number,
  row: number,
  column: number,
): number {
  const index = LAYERS.findIndex((known) => known.layer === layer.layer);
  const region = { top: row, left: column, height: 1, width: 1 };
  return convolve(weights, input, index, region, [filter])[0];
}

/** `[filter, row, column]` of the wanted filters in a region of a layer's maps. */
function convolve(
  weights: Weights,
  input: InputAt,
  index: number,
  region: Region,
  filters: readonly number[],
): Float64Array {
  const { layer, inputs, size, filters: all } = LAYERS[index];
  const { kernel, bias } = weights.layers.get(layer)!;
  const { top, left, height, width } = region;
  const around = { top: top - 1, left: left - 1, height: height + 2, width: width + 2 };
  const before = index === 0 ? pixels(input, around) : maps(weights, input, index - 1, around);
  const result = new Float64Array(filters.length * height * width);
  for (const [i, filter] of filters.entries()) {
    for (let row = 0; row < height; row++) {
      for (let column = 0; column < width; column++) {
        const [y, x] = [top + row, left + column];
        if (y < 0 || x < 0 || y >= size || x >= size) continue;
        let sum = bias[filter];
        for (let channel = 0; channel < inputs; channel++) {
          for (let tap = 0; tap < 9; tap++) {
            const at =
              (channel * around.height + row + Math.floor(tap / 3)) * around.width + column + (tap % 3);
            sum += kernel[(tap * inputs + channel) * all + filter] * before[at];
          }
        }
        result[(i * height + row) * width + column] = Math.max(0, sum);
      }
    }
  }
  return result;
}

/** A region of what a layer hands on: its maps, pooled where its block ends. */
function maps(weights: Weights, input: InputAt, index: number, region: Region): Float64Array {
  const { filters, pooled } = LAYERS[index];
  const every = Array.from({ length: filters }, (_, filter) => filter);
  if (!pooled) return convolve(weights, input, index, region, every);
  const { top, left, height, width } = region;
  const double = { top: 2 * top, left: 2 * left, height: 2 * height, width: 2 * width };
  const full = convolve(weights, input, index, double, every);
  return Float64Array.from({ length: filters * height * width }, (_, i) => {
    const column = i % width;
    const row = Math.floor(i / width) % height;
    const at = (Math.floor(i / width / height) * double.height + 2 * row) * double.width + 2 * column;
    return Math.max(full[at], full[at + 1], full[at + double.width], full[at + double.width + 1]);
  });
}

function pixels(input: InputAt, { top, left, height, width }: Region): Float64Array {
  return Float64Array.from({ length: 3 * height * width }, (_, i) =>
    input(Math.floor(i / width / height), top + (Math.floor(i / width) % height), left + (i % width)),
  );
}
