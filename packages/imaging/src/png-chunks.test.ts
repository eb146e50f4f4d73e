import sharp from 'sharp';
import { expect, test } from 'vitest';
import { hasTooManyChunks } from './png-chunks.ts';
import { prepareImage } from './prepare-image.ts';

const png = await sharp({ create: { width: 300, height: 200, channels: 3, background: '#456' } })
  .png()
  .toBuffer();

test('a picture of empty chunks is corrupt; one of an encoder has few', async () => {
  expect(hasTooManyChunks(png)).toBe(false);
  const chunk = [0, 0, 0, 0, 0x74, 0x45, 0x58, 0x74, 0xbe, 0x14, 0x3e, 0xd2]; // tEXt
  const empty = Buffer.alloc(60_000 * chunk.length, Buffer.from(chunk));
  const hostile = Buffer.concat([png.subarray(0, 33), empty, png.subarray(33)]);
  expect(await prepareImage(hostile, 'crop')).toMatchObject({ status: 'failed', code: 'corrupt' });
});

test('never throws on a cut file', () => {
  for (let length = 8; length < 60; length++) expect(hasTooManyChunks(png.subarray(0, length))).toBe(false);
});
