import { PREPARED_SIZE } from './fit-geometry.ts';
import type { Rectangle } from './rectangle.ts';

/** Shown where a receptive field reaches beyond the picture. */
const OUTSIDE = 128;

/**
 * Cuts a rectangle out of a prepared picture `[row, column, channel]`, 224×224×3; mid-grey where it reaches outside.
 * @returns `[row, column, channel]` of the rectangle's size, RGB.
 * @throws RangeError unless the rectangle has whole numbers and at least one pixel.
 */
export function cropRectangle(pixels: Uint8Array, rectangle: Rectangle): Uint8Array {
  const { left, top, width, height } = rectangle;
  if (![left, top, width, height].every(Number.isInteger) || width < 1 || height < 1) {
    throw new RangeError(`not a rectangle of whole pixels: ${width}×${height} at ${left},${top}`);
  }
  const cut = new Uint8Array(width * height * 3).fill(OUTSIDE);
  const first = Math.max(0, left);
  const last = Math.min(PREPARED_SIZE, left + width);
  if (first >= last) return cut;
  for (let row = Math.max(0, top); row < Math.min(PREPARED_SIZE, top + height); row++) {
    const from = (row * PREPARED_SIZE + first) * 3;
    cut.set(pixels.subarray(from, from + (last - first) * 3), ((row - top) * width + first - left) * 3);
  }
  return cut;
}
