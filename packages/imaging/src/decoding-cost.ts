import type { Metadata } from 'sharp';
import type { ImageFormat } from './image-signature.ts';

/** Pixels of a picture, however it is stored: 8,000 × 8,000. Keeps the slowest format below five seconds. */
export const MAX_PIXELS = 64_000_000;

/** Bytes that a decoder may hold at once: with the rest of the work a picture stays below 300 MB. */
export const MAX_DECODED_BYTES = 224 * 1024 * 1024;

/**
 * Bytes that must be held to decode a picture, from its header. Baseline JPEG, plain PNG and TIFF run through in
 * bands; the others are held whole: progressive JPEG as 16-bit coefficients, interlaced PNG and GIF as pixels. Measured
 * at their limits: 226–239 MB for progressive JPEG. WebP holds a frame and a canvas (7.9 bytes a pixel measured),
 * AVIF planes, conversions and pixels (17.7).
 */
export function decodedBytes(format: ImageFormat, header: Metadata): number {
  return header.width * header.height * BYTES_PER_PIXEL[format](header);
}

const BYTES_PER_PIXEL: Readonly<Record<ImageFormat, (header: Metadata) => number>> = {
  jpeg: ({ isProgressive, chromaSubsampling, channels }) =>
    isProgressive ? 2 * (chromaSubsampling === '4:2:0' ? 1.5 : channels) : 0,
  png: (header) => (header.isProgressive ? header.channels * sampleBytes(header) : 0),
  tiff: () => 0,
  gif: () => 4,
  webp: () => 8,
  avif: (header) => 18 * sampleBytes(header),
};

function sampleBytes({ depth }: Metadata): number {
  if (depth === 'uchar') return 1;
  return depth === 'ushort' || depth === 'short' ? 2 : 4;
}
