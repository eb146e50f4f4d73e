import type { PreparedImage } from '@filterscope/vgg16/engine';
import { INPUT_SIZE, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { preprocessPixels } from '@filterscope/vgg16/preprocessing';
import { receptiveField, receptiveFieldShape } from '@filterscope/vgg16/receptive-field';
import type { Weights } from '@filterscope/vgg16/weights';
import { measured, type Check } from './check.ts';
import { ARITHMETIC, largestOf, worstOf, type Maps } from './differences.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { plain } from './pictures.ts';

/**
 * A picture of one colour: away from the borders every map is constant, and in the first layer it is
 * `max(0, bias + colour · sums of the kernel)`.
 */
export function onePlainColour({ weights, layers }: EngineUnderTest, maps: Maps): Check {
  const spreads = layers.map((layer, i) => {
    const within = insideRange(layer, 0);
    return {
      layer: layer.layer,
      deviation: spreadWithin(layer, maps[i], within) / (largestOf(maps[i]) || 1),
    };
  });
  const worst = worstOf([
    ...spreads,
    { layer: `${layers[0].layer} itself`, deviation: colourDifference(weights, layers[0], maps[0]) },
  ]);
  return measured(
    'padding: one colour',
    worst.deviation,
    ARITHMETIC,
    `on a plain picture maps are constant away from the borders, the first as its bias and kernel say; worst in ${worst.layer}, of its largest`,
  );
}

function spreadWithin(
  { filters, positions, size }: ConvolutionLayer,
  maps: Float32Array,
  [from, to]: readonly [number, number],
): number {
  let worst = 0;
  for (let filter = 0; filter < filters; filter++) {
    const expected = maps[filter * positions + from * size + from];
    for (let row = from; row <= to; row++)
      for (let column = from; column <= to; column++)
        worst = Math.max(worst, Math.abs(maps[filter * positions + row * size + column] - expected));
  }
  return worst;
}

function colourDifference(
  weights: Weights,
  { layer, inputs, filters, positions, size }: ConvolutionLayer,
  maps: Float32Array,
): number {
  const { kernel, bias } = weights.layers.get(layer)!;
  const colour = preprocessPixels(plain, weights.flavour);
  let worst = 0;
  for (let filter = 0; filter < filters; filter++) {
    let sum = bias[filter];
    for (let tap = 0; tap < 9; tap++)
      for (let channel = 0; channel < inputs; channel++)
        sum +=
          kernel[(tap * inputs + channel) * filters + filter] * colour[channel * INPUT_SIZE * INPUT_SIZE];
    const middle = maps[filter * positions + (size / 2) * size + size / 2];
    worst = Math.max(worst, Math.abs(Math.max(0, sum) - middle));
  }
  return worst / (largestOf(maps) || 1);
}

/** Pixels that the picture is moved right and down: one position of a map in block 5, whatever was pooled before. */
const SHIFT = 16;

/** A picture moved right and down; what leaves it comes in on the other side. */
export function shifted(image: PreparedImage): PreparedImage {
  const line = INPUT_SIZE * 3;
  const moved = new Uint8Array(image.length);
  for (let row = 0; row < INPUT_SIZE; row++) {
    const from = image.subarray(row * line, (row + 1) * line);
    const to = ((row + SHIFT) % INPUT_SIZE) * line;
    moved.set(from.subarray(0, line - SHIFT * 3), to + SHIFT * 3);
    moved.set(from.subarray(line - SHIFT * 3), to);
  }
  return moved;
}

/** A picture moved moves every map, where neither the border nor what came round is seen. */
export function translation(layers: readonly ConvolutionLayer[], maps: Maps, moved: Maps): Check {
  const worst = worstOf(
    layers.map((layer, i) => {
      const { filters, positions, size } = layer;
      const step = SHIFT / receptiveFieldShape(layer).jump;
      const [from, to] = insideRange(layer, SHIFT);
      let error = 0;
      for (let filter = 0; filter < filters; filter++)
        for (let row = from; row <= to; row++)
          for (let column = from; column <= to; column++) {
            const at = filter * positions + row * size + column;
            error = Math.max(error, Math.abs(maps[i][at] - moved[i][at + step * (size + 1)]));
          }
      return { layer: layer.layer, deviation: error / (largestOf(maps[i]) || 1) };
    }),
  );
  return measured(
    'pooling: translation',
    worst.deviation,
    ARITHMETIC,
    `a picture moved by ${SHIFT} pixels moves every map by ${SHIFT} over its stride, away from the borders; worst in ${worst.layer}, of its largest`,
  );
}

/** First and last row of a map whose receptive fields lie within the picture, and `spare` pixels from its end. */
function insideRange(layer: ConvolutionLayer, spare: number): readonly [number, number] {
  const inside = Array.from({ length: layer.size }, (_, row) => row).filter((row) => {
    const { top, size } = receptiveField(layer, row, row);
    return top >= 0 && top + size <= INPUT_SIZE - spare;
  });
  return [inside[0], inside.at(-1)!];
}
