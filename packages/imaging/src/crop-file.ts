import sharp from 'sharp';
import { cropRectangle } from './crop-rectangle.ts';
import type { Rectangle } from './rectangle.ts';

/** A crop as a file to look at. */
export interface CropFile {
  readonly bytes: Uint8Array;
  readonly type: 'image/png' | 'image/jpeg';
  readonly width: number;
  readonly height: number;
  /** Pixels along a side that stand for one of the picture's. */
  readonly enlarged: number;
}

/** What crops are enlarged to, as far as a whole factor goes: 3 pixels are hard to see. */
const SEEN_SIZE = 96;

/** How much fields of `size` pixels are enlarged to be seen. */
export const enlargementOf = (size: number): number => Math.max(1, Math.floor(SEEN_SIZE / size));

/**
 * Cuts a rectangle out of a prepared picture and makes a file of it. Enlarged ones are PNG, exact and small (a pixel becomes a square); others JPEG,
 * of quality 85 and full colour resolution: a third of their PNG.
 */
export async function encodeCrop(
  pixels: Uint8Array,
  rectangle: Rectangle,
  enlarged: number,
): Promise<CropFile> {
  const { width, height } = rectangle;
  const cut = enlarge(cropRectangle(pixels, rectangle), rectangle, enlarged);
  const size = { width: width * enlarged, height: height * enlarged };
  const image = sharp(cut, { raw: { ...size, channels: 3 } });
  return enlarged > 1
    ? { bytes: await image.png({ compressionLevel: 9 }).toBuffer(), type: 'image/png', ...size, enlarged }
    : {
        bytes: await image.jpeg({ quality: 85, chromaSubsampling: '4:4:4' }).toBuffer(),
        type: 'image/jpeg',
        ...size,
        enlarged,
      };
}

/** Each pixel as a square of `factor`×`factor`. @param pixels `[row, column, channel]`, RGB */
function enlarge(pixels: Uint8Array, { width, height }: Rectangle, factor: number): Uint8Array {
  if (factor === 1) return pixels;
  const line = width * factor * 3;
  const large = new Uint8Array(line * height * factor);
  for (let row = 0; row < height; row++) {
    const start = row * factor * line;
    for (let column = 0; column < width * factor; column++) {
      const from = (row * width + Math.floor(column / factor)) * 3;
      large.set(pixels.subarray(from, from + 3), start + column * 3);
    }
    for (let copy = 1; copy < factor; copy++) large.copyWithin(start + copy * line, start, start + line);
  }
  return large;
}
