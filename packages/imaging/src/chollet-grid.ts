import { cholletLayout, gridSize, tileRectangle } from './grid-layout.ts';
import { takeTurns } from './take-turn.ts';
import { viridis } from './viridis.ts';

/** A colour picture `[row, column, channel]`, RGB, one byte a value. */
export interface ColourPicture {
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * A layer as Chollet's notebook draws it: 16 tiles a row and one pixel between, each tile by itself
 * (x − mean) / std · 64 + 128, clipped to 0 … 255 and truncated, in viridis. A blank tile is 0, which no other tile is
 * throughout (their mean is 128): it needs no mark. A constant tile is 128; gaps are 0. The colours
 * always span 0 … 255; the notebook's `imshow` would stretch a grid that stays below 255. Lets the event loop turn in between.
 * @param activations `[filter, row, column]` after ReLU.
 * @throws RangeError when their number is not `filters · tileSize²`.
 */
export async function cholletGrid(
  activations: Float32Array,
  filters: number,
  tileSize: number,
): Promise<ColourPicture> {
  const layout = cholletLayout(filters);
  const positions = tileSize * tileSize;
  if (activations.length !== filters * positions) {
    throw new RangeError(
      `${activations.length} activations are not ${filters} maps of ${tileSize}×${tileSize}`,
    );
  }
  const { width, height } = gridSize(layout, tileSize);
  const levels = new Uint8Array(width * height);
  const pause = await takeTurns();
  for (let filter = 0; filter < filters; filter++) {
    await pause();
    const { left, top } = tileRectangle(layout, tileSize, filter);
    const map = activations.subarray(filter * positions, (filter + 1) * positions);
    const level = levelOf(map);
    for (let row = 0, from = 0; row < tileSize; row++) {
      const start = (top + row) * width + left;
      for (let column = 0; column < tileSize; column++) levels[start + column] = level(map[from++]);
    }
  }
  const pixels = new Uint8Array(levels.length * 3);
  for (let row = 0; row < height; row++) {
    await pause();
    colour(levels.subarray(row * width, (row + 1) * width), pixels.subarray(row * width * 3));
  }
  return { pixels, width, height };
}

/** The grey level 0 … 255 of an activation, by the mean and the population standard deviation of its map. */
function levelOf(map: Float32Array): (activation: number) => number {
  let sum = 0;
  let smallest = Infinity;
  let largest = -Infinity;
  for (const activation of map) {
    sum += activation;
    smallest = Math.min(smallest, activation);
    largest = Math.max(largest, activation);
  }
  if (sum === 0) return () => 0;
  if (smallest === largest) return () => 128;
  const mean = sum / map.length;
  let squares = 0;
  for (const activation of map) squares += (activation - mean) ** 2;
  const factor = 64 / Math.sqrt(squares / map.length);
  return (activation) => Math.trunc(Math.min(255, Math.max(0, (activation - mean) * factor + 128)));
}

function colour(levels: Uint8Array, pixels: Uint8Array): void {
  const colours = viridis();
  for (let at = 0, to = 0; at < levels.length; at++) {
    const from = levels[at] * 3;
    pixels[to++] = colours[from]!;
    pixels[to++] = colours[from + 1]!;
    pixels[to++] = colours[from + 2]!;
  }
}
