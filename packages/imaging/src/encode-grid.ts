import sharp from 'sharp';
import { type GridMetadata, describeGrid } from './grid-metadata.ts';

export type GridFormat = 'jpeg' | 'png';

export interface GridPicture {
  /** `[row, column]` of grey, or `[row, column, channel]` of RGB, one byte a value. */
  readonly pixels: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** 1 for grey (default), 3 for RGB. */
  readonly channels?: 1 | 3;
  readonly format: GridFormat;
  readonly metadata: GridMetadata;
}

/** Quality 85 shows single positions and marks; default Huffman tables cost a third of the time and none of the size. */
const JPEG = { quality: 85, optimiseCoding: false } as const;

/**
 * A grid as a file that says what it is (see `readGridMetadata`). JPEG of quality 85, or lossless PNG.
 * @throws RangeError when the pixels are not of the given size.
 */
export async function encodeGrid(picture: GridPicture): Promise<Buffer> {
  const { pixels, width, height, channels = 1, format, metadata } = picture;
  if (pixels.length !== width * height * channels) {
    throw new RangeError(`${pixels.length} bytes are not ${width}×${height} pixels of ${channels}`);
  }
  const image = sharp(pixels, { raw: { width, height, channels }, limitInputPixels: false })
    // without it one grey channel is written as three
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .withExif({ IFD0: { ImageDescription: describeGrid(metadata) } });
  return format === 'jpeg'
    ? // viridis tells levels by hue: its colours are not thinned out
      image.jpeg({ ...JPEG, chromaSubsampling: '4:4:4' }).toBuffer()
    : image.png({ compressionLevel: 1 }).toBuffer();
}
