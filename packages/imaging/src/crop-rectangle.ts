import { PREPARED_SIZE } from './fit-geometry.ts';
import type { Rectangle } from './rectangle.ts';

/**
 * Cuts a rectangle out of a prepared picture `[row, column, channel]`, 224×224×3.
 * @returns `[row, column, channel]` of the rectangle's size, RGB.
 * @throws RangeError unless the rectangle lies in the picture and has whole numbers and at least one pixel.
 */
export function cropRectangle(pixels: Uint8Array, rectangle: Rectangle): Uint8Array {
  const { left, top, width, height } = rectangle;
  const inside = left >= 0 && top >= 0 && left + width <= PREPARED_SIZE && top + height <= PREPARED_SIZE;
  if (![left, top, width, height].every(Number.isInteger) || width < 1 || height < 1 || !inside) {
    throw new RangeError(`not a rectangle of the picture's pixels: ${width}×${height} at ${left},${top}`);
  }
  const cut = new Uint8Array(width * height * 3);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * PREPARED_SIZE + left) * 3;
    cut.set(pixels.subarray(from, from + width * 3), row * width * 3);
  }
  return cut;
}
