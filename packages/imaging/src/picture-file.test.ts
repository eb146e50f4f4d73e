import sharp from 'sharp';
import { expect, test } from 'vitest';
import { decodePicture, encodePicture } from './picture-file.ts';

test('a picture comes back byte by byte, whatever is in it', async () => {
  const pixels = Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => (i * 2654435761) >>> 24);
  const flat = new Uint8Array(224 * 224 * 3).fill(200);
  for (const picture of [pixels, flat]) {
    expect(await decodePicture(await encodePicture(picture))).toEqual(Buffer.from(picture));
  }
});

test('another picture is refused', async () => {
  const raw = { width: 2, height: 2, channels: 3 } as const;
  const small = await sharp(new Uint8Array(12), { raw }).webp().toBuffer();
  await expect(decodePicture(small)).rejects.toThrow('2×2');
});
