import * as fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { endsEarly } from './image-ending.ts';
import type { ImageFormat } from './image-signature.ts';

const picture = sharp(Buffer.from(Array.from({ length: 40 * 30 * 3 }, (_, i) => (i * i * 7) % 251)), {
  raw: { width: 40, height: 30, channels: 3 },
});
const thumbnail = { IFD0: { Copyright: 'an end marker in here: \u00ff\u00d9' } };
const whole: Record<string, [ImageFormat, Buffer]> = {
  jpeg: ['jpeg', await picture.clone().withExif(thumbnail).jpeg().toBuffer()],
  'progressive jpeg': ['jpeg', await picture.clone().jpeg({ progressive: true }).toBuffer()],
  png: ['png', await picture.clone().png().toBuffer()],
  gif: ['gif', await picture.clone().gif().toBuffer()],
  webp: ['webp', await picture.clone().webp().toBuffer()],
  tiff: ['tiff', await picture.clone().tiff({ compression: 'deflate' }).toBuffer()],
  avif: ['avif', await picture.clone().avif({ effort: 0 }).toBuffer()],
};

describe.each(Object.entries(whole))('%s', (_, [format, bytes]) => {
  test('is whole, also with something behind it', async () => {
    expect(await endsEarly(bytes, format)).toBe(false);
    if (format !== 'avif')
      expect(await endsEarly(Buffer.concat([bytes, Buffer.alloc(100)]), format)).toBe(false);
  });

  test('ends early wherever it is cut before its last bytes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 8, max: bytes.length - 3 }), (cut) =>
        endsEarly(bytes.subarray(0, cut), format),
      ),
      { examples: [[28]] }, // between an AVIF's first box and the next
    );
  });

  test('never throws on changed bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 20 }),
        async (changes) => {
          const changed = Uint8Array.from(bytes);
          for (const [at, value] of changes) changed[at] = value;
          expect(typeof (await endsEarly(changed, format))).toBe('boolean');
        },
      ),
    );
  });
});
