import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodeCrop, enlargementOf } from './crop-file.ts';

const pixels = new Uint8Array(224 * 224 * 3);
for (let i = 0; i < 224 * 224; i++) pixels.set([i % 224, Math.floor(i / 224), 7], i * 3);

test('small fields are enlarged by whole factors, large ones are not', () => {
  expect([3, 5, 10, 14, 24, 32, 40, 60, 196].map(enlargementOf)).toEqual([32, 19, 9, 6, 4, 3, 2, 1, 1]);
});

test('an enlarged crop has a square for each pixel, exactly', async () => {
  const crop = await encodeCrop(pixels, { left: 30, top: 40, width: 3, height: 2 }, 4);
  expect(crop).toMatchObject({ type: 'image/png', width: 12, height: 8, enlarged: 4 });
  const shown = await sharp(crop.bytes).raw().toBuffer();
  for (let row = 0; row < 8; row++) {
    for (let column = 0; column < 12; column++) {
      const at = (row * 12 + column) * 3;
      const pixel = [30 + Math.floor(column / 4), 40 + Math.floor(row / 4), 7];
      expect([...shown.subarray(at, at + 3)]).toEqual(pixel);
    }
  }
});

test('a crop that is not enlarged is a JPEG that shows it', async () => {
  const crop = await encodeCrop(pixels, { left: 10, top: 60, width: 92, height: 80 }, 1);
  expect(crop).toMatchObject({ type: 'image/jpeg', width: 92, height: 80, enlarged: 1 });
  const shown = await sharp(crop.bytes).raw().toBuffer();
  const at = (40 * 92 + 50) * 3;
  expect(Math.abs(shown[at] - 60)).toBeLessThan(8);
  expect(Math.abs(shown[at + 1] - 100)).toBeLessThan(8);
});
