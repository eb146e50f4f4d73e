import type { PreparedImage } from '@filterscope/vgg16/engine';
import { INPUT_SIZE } from '@filterscope/vgg16/layers';

/** A picture by formula: each value is `byteAt(row, column, channel)` modulo 256. */
function drawn(byteAt: (row: number, column: number, channel: number) => number): PreparedImage {
  const pixels = new Uint8Array(INPUT_SIZE * INPUT_SIZE * 3);
  for (let i = 0; i < pixels.length; i++) {
    const pixel = Math.floor(i / 3);
    pixels[i] = byteAt(Math.floor(pixel / INPUT_SIZE), pixel % INPUT_SIZE, i % 3);
  }
  return pixels;
}

/** One colour: apart from the borders a filter gives the same everywhere, so that its maximum is tied. */
export const plain = drawn((_row, _column, channel) => [90, 140, 60][channel]);

/** The same 16×16 pixels again and again: down to the fifth block every map repeats itself along rows and columns. */
export const wallpaper = drawn(
  (row, column, channel) => ((row % 16) * 37 + (column % 16) * 91) ^ (channel * 50 + 7),
);
