import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { encodeGrid } from './encode-grid.ts';
import { gridLayout, gridSize, tileRectangle } from './grid-layout.ts';
import { readGridMetadata } from './grid-metadata.ts';

const METADATA = {
  layer: 'block3_conv1',
  style: 'filter',
  weights: 'ab'.repeat(32),
  run: '12',
  image: 'cat/ä "1".jpg',
};
const layout = gridLayout(128);
const { width, height } = gridSize(layout, 14);
const pixels = new Uint8Array(width * height);
for (let filter = 0; filter < layout.filters; filter++) {
  const { left, top } = tileRectangle(layout, 14, filter);
  for (let row = 0; row < 14; row++)
    pixels.fill(2 * filter, (top + row) * width + left, (top + row) * width + left + 14);
}

test('PNG holds every tile pixel for pixel, in one channel', async () => {
  const file = await encodeGrid({ pixels, width, height, format: 'png', metadata: METADATA });
  expect(await sharp(file).metadata()).toMatchObject({ format: 'png', width: 224, height: 112, channels: 1 });
  const shown = await sharp(file)
    .extract({ left: 14 * 3, top: 14 * 2, width: 14, height: 14 })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  expect([...new Set(shown)]).toEqual([2 * (2 * 16 + 3)]);
  expect(new Uint8Array(await sharp(file).toColourspace('b-w').raw().toBuffer())).toEqual(pixels);
});

test('JPEG is grey and near', async () => {
  const file = await encodeGrid({ pixels, width, height, format: 'jpeg', metadata: METADATA });
  expect(await sharp(file).metadata()).toMatchObject({
    format: 'jpeg',
    width: 224,
    height: 112,
    channels: 1,
  });
  const shown = await sharp(file).toColourspace('b-w').raw().toBuffer();
  const error = pixels.reduce((sum, byte, i) => sum + Math.abs(byte - shown[i]), 0) / pixels.length;
  expect(error).toBeLessThan(2);
});

describe.each(['jpeg', 'png'] as const)('metadata of %s', (format) => {
  test('come back as they were, whatever the key', async () => {
    const small = { pixels: new Uint8Array(16), width: 4, height: 4, format };
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'binary', maxLength: 1024 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (image, clippedShare) => {
          const metadata = { ...METADATA, image, clippedShare: clippedShare + 0 };
          expect(await readGridMetadata(await encodeGrid({ ...small, metadata }))).toEqual(metadata);
        },
      ),
      { numRuns: 30 },
    );
  });

  test('of a colour picture too', async () => {
    const file = await encodeGrid({
      pixels: new Uint8Array(48),
      width: 4,
      height: 4,
      channels: 3,
      format,
      metadata: METADATA,
    });
    expect(await readGridMetadata(file)).toEqual(METADATA);
    expect((await sharp(file).metadata()).channels).toBe(3);
  });
});

test('another picture, and no picture, have none', async () => {
  const plain = sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } });
  expect(await readGridMetadata(await plain.clone().png().toBuffer())).toBeUndefined();
  const foreign = { IFD0: { ImageDescription: 'a holiday' } };
  expect(await readGridMetadata(await plain.clone().withExif(foreign).jpeg().toBuffer())).toBeUndefined();
  expect(await readGridMetadata(new Uint8Array(9))).toBeUndefined();
});

test('pixels of another size are a mistake', async () => {
  await expect(encodeGrid({ pixels, width: 9, height, format: 'png', metadata: METADATA })).rejects.toThrow(
    RangeError,
  );
});
