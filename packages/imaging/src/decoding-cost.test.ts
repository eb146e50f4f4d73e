import sharp, { type Sharp } from 'sharp';
import { expect, test } from 'vitest';
import { decodedBytes } from './decoding-cost.ts';
import type { ImageFormat } from './image-signature.ts';

const picture = sharp({ create: { width: 64, height: 48, channels: 3, background: 'teal' } });
const pixels = 64 * 48;

test.each<[string, ImageFormat, () => Sharp, number]>([
  ['baseline JPEG', 'jpeg', () => picture.clone().jpeg(), 0],
  ['progressive JPEG', 'jpeg', () => picture.clone().jpeg({ progressive: true }), 3 * pixels],
  [
    '… with full colour',
    'jpeg',
    () => picture.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }),
    6 * pixels,
  ],
  ['plain PNG', 'png', () => picture.clone().png(), 0],
  ['interlaced PNG', 'png', () => picture.clone().png({ progressive: true }), 3 * pixels],
  [
    '… of 16 bits',
    'png',
    () => picture.clone().toColourspace('rgb16').png({ progressive: true }),
    6 * pixels,
  ],
  ['WebP', 'webp', () => picture.clone().webp(), 8 * pixels],
])('%s', async (_, format, make, bytes) => {
  expect(decodedBytes(format, await sharp(await make().toBuffer()).metadata())).toBe(bytes);
});
