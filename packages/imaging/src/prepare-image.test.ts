import * as fc from 'fast-check';
import sharp, { type Color, type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { configureImaging } from './configure-imaging.ts';
import { fitGeometry } from './fit-geometry.ts';
import { type Prepared, prepareImage } from './prepare-image.ts';
import { sharedData } from './test-support/shared-data.ts';
import { triangleResize } from './test-support/triangle-resize.ts';

beforeAll(() => configureImaging());

async function prepared(bytes: Uint8Array, fit: 'crop' | 'stretch' = 'stretch'): Promise<Prepared> {
  const result = await prepareImage(bytes, fit);
  if (result.status !== 'ok') throw new Error(`${result.code}: ${result.message}`);
  return result;
}

function pixelAt({ pixels }: Prepared, row: number, column: number): number[] {
  return [...pixels.subarray((row * 224 + column) * 3, (row * 224 + column) * 3 + 3)];
}

function rms(pixels: Uint8Array, reference: ArrayLike<number>): number {
  const squares = pixels.reduce((sum, byte, i) => sum + (byte - reference[i]) ** 2, 0);
  return Math.sqrt(squares / pixels.length);
}

/** Something with edges, slopes and detail in every channel. */
function scene(width: number, height: number): Sharp {
  const data = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++) {
    const [x, y] = [i % width, Math.floor(i / width)];
    data.set(
      [(x * 255) / width, 128 + 100 * Math.sin((x * y) / 300), 128 + 100 * Math.sin(x / 3) * Math.cos(y / 2)],
      i * 3,
    );
  }
  return sharp(data, { raw: { width, height, channels: 3 } });
}

function solid(background: Color, channels: 3 | 4 = 3): Sharp {
  return sharp({ create: { width: 20, height: 20, channels, background } });
}

function white(width: number, height: number): Sharp {
  return sharp({ create: { width, height, channels: 3, background: 'white' } }).png();
}

describe('resizing', () => {
  // libvips reduces fourfold and more in two steps: fine patterns differ, photos do not (0.4–1.0 against Pillow)
  test.each([
    [500, 375, 0.5],
    [256, 300, 0.5],
    [333, 900, 2],
    [1600, 1200, 2],
    [100, 60, 0.35],
    [3, 500, 0.35],
    [200, 300, 0.35],
  ])('of %i×%i is the triangle filter to within %f', async (width, height, tolerance) => {
    const file = await scene(width, height).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer();
    const data = await sharp(file).raw().toBuffer();
    const stretched = triangleResize({ data, width, height }, 224, 224);
    expect(rms((await prepared(file)).pixels, stretched)).toBeLessThan(tolerance);

    const shorter = Math.min(width, height);
    const [w, h] = [Math.trunc((256 * width) / shorter), Math.trunc((256 * height) / shorter)];
    const resized = triangleResize({ data, width, height }, w, h);
    const { left, top } = fitGeometry(width, height, 'crop');
    const cropped = Float64Array.from({ length: 224 * 224 * 3 }, (_, i) => {
      const [row, rest] = [Math.floor(i / 672), i % 672];
      return resized[((top + row) * w + left) * 3 + rest];
    });
    expect(rms((await prepared(file, 'crop')).pixels, cropped)).toBeLessThan(tolerance);
  });

  test('crop keeps the middle of a tall picture, stretch all of it', async () => {
    const bands = sharp({ create: { width: 100, height: 300, channels: 3, background: 'red' } }).composite([
      { input: { create: { width: 100, height: 100, channels: 3, background: 'lime' } }, left: 0, top: 100 },
    ]);
    const file = await bands.png().toBuffer();
    const cropped = await prepared(file, 'crop');
    expect([pixelAt(cropped, 2, 112), pixelAt(cropped, 221, 112)]).toEqual([
      [0, 255, 0],
      [0, 255, 0],
    ]);
    const stretched = await prepared(file);
    expect([pixelAt(stretched, 37, 0), pixelAt(stretched, 112, 0)]).toEqual([
      [255, 0, 0],
      [0, 255, 0],
    ]);
    expect(cropped).toMatchObject({ width: 100, height: 300, format: 'png' });
  });
});

describe('colour', () => {
  test.each<[string, () => Sharp, number[], number]>([
    ['sRGB', () => solid('#3366cc').png(), [51, 102, 204], 0],
    ['16 bits', () => solid('#3366cc').toColourspace('rgb16').png(), [51, 102, 204], 1],
    ['grey', () => solid('#777777').toColourspace('b-w').png(), [119, 119, 119], 0],
    ['a palette', () => solid('#3366cc').png({ palette: true }), [51, 102, 204], 1],
    ['half transparent', () => solid({ r: 0, g: 0, b: 0, alpha: 0.5 }, 4).png(), [127, 127, 127], 1],
    [
      'transparent, over white',
      () => solid({ r: 9, g: 9, b: 9, alpha: 0 }, 4).webp({ lossless: true }),
      [255, 255, 255],
      0,
    ],
    ['Display P3', () => solid('#3366cc').withIccProfile('p3').png(), [51, 102, 204], 2],
    [
      'CMYK',
      () => solid('#667788').toColourspace('cmyk').withIccProfile('cmyk').jpeg({ quality: 100 }),
      [102, 119, 136],
      12,
    ],
  ])('%s becomes sRGB', async (_, make, expected, tolerance) => {
    const shown = pixelAt(await prepared(await make().toBuffer()), 112, 112);
    for (const [i, value] of expected.entries())
      expect(Math.abs(shown[i] - value)).toBeLessThanOrEqual(tolerance);
  });
});

describe('orientation', () => {
  test.each([2, 3, 4, 5, 6, 7, 8])('%i gives the upright picture', async (orientation) => {
    const upright = await scene(300, 200).png().toBuffer();
    const turn = {
      2: [0, true],
      3: [180, false],
      4: [180, true],
      5: [90, true],
      6: [270, false],
      7: [270, true],
      8: [90, false],
    };
    const [angle, flop] = turn[orientation as keyof typeof turn] as [number, boolean];
    const turned = await sharp(upright).rotate(angle).png().toBuffer();
    const file = await sharp(turned).flop(flop).withMetadata({ orientation }).png().toBuffer();
    for (const fit of ['crop', 'stretch'] as const) {
      const result = await prepared(file, fit);
      expect(result).toMatchObject({ width: 300, height: 200 });
      expect(rms(result.pixels, (await prepared(upright, fit)).pixels)).toBeLessThan(0.6);
    }
  });
});

describe('bad pictures are values', () => {
  test('nothing at all, no picture, a refused format', async () => {
    expect(await prepareImage(new Uint8Array(), 'crop')).toMatchObject({ status: 'failed', code: 'empty' });
    expect(await prepareImage(Buffer.from('hello'), 'crop')).toMatchObject({ code: 'not-an-image' });
    expect(await prepareImage(Buffer.from('<svg/>  <svg >'), 'crop')).toMatchObject({
      code: 'unsupported-format',
    });
  });

  test('damaged in the middle is corrupt, cut off is truncated, both with their size', async () => {
    const file = await scene(300, 200).png().toBuffer();
    const damaged = Uint8Array.from(file).fill(0x55, file.length / 2, file.length / 2 + 50);
    const picture = { width: 300, height: 200, format: 'png' };
    expect(await prepareImage(damaged, 'crop')).toMatchObject({ code: 'corrupt', ...picture });
    expect(await prepareImage(file.subarray(0, file.length / 2), 'crop')).toMatchObject({
      code: 'truncated',
      ...picture,
    });
  });

  test('a picture cut off below the part that is used is truncated all the same', async () => {
    const file = await scene(100, 2000).jpeg().toBuffer();
    expect(await prepareImage(file.subarray(0, -500), 'crop')).toMatchObject({ code: 'truncated' });
  });

  test('too many pixels are too large, however thin', async () => {
    for (const fit of ['crop', 'stretch'] as const) {
      expect(await prepareImage(await white(1, 60_000).toBuffer(), fit)).toMatchObject({ status: 'ok' });
    }
    const header = await white(10, 10).toBuffer();
    header.writeUInt32BE(64_001, 16);
    header.writeUInt32BE(1000, 20);
    const { crc32 } = await import('node:zlib');
    header.writeUInt32BE(crc32(header.subarray(12, 29)), 29);
    expect(await prepareImage(header, 'crop')).toMatchObject({
      code: 'too-large',
      width: 64_001,
      height: 1000,
    });
  });

  test('changed bytes never throw', async () => {
    const files = await Promise.all([
      scene(40, 30).jpeg().toBuffer(),
      scene(40, 30).png().toBuffer(),
      scene(40, 30).gif().toBuffer(),
    ]);
    const changes = fc.array(fc.tuple(fc.nat(10_000), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...files), changes, async (file, changes) => {
        const changed = Uint8Array.from(file);
        for (const [at, value] of changes) changed[at % changed.length] = value;
        const result = await prepareImage(changed, 'crop');
        expect(result.status === 'ok' ? result.pixels.length : result.message.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test('an abort is no property of the picture', async () => {
    await expect(
      prepareImage(new Uint8Array(), 'crop', AbortSignal.abort(new Error('stop'))),
    ).rejects.toThrow('stop');
  });
});

const nasty = sharedData('nasty');

describe.skipIf(!nasty.present)('real pictures turned by their cameras', () => {
  test.each([
    ['sharp-Landscape_6.jpg', 'sharp-Landscape_8.jpg', 12],
    ['sharp-Landscape_1.jpg', 'sharp-Landscape_6.jpg', 25], // one has a colour profile, the other has none
    ['sharp-Portrait_3.jpg', 'sharp-Portrait_5.jpg', 12],
    ['sharp-Portrait_3.jpg', 'sharp-Portrait_6.jpg', 12],
  ])('%s and %s look the same', async (one, other, tolerance) => {
    const [a, b] = [await prepared(nasty.read(one), 'crop'), await prepared(nasty.read(other), 'crop')];
    expect([a.width, a.height]).toEqual([b.width, b.height]);
    expect(rms(a.pixels, b.pixels)).toBeLessThan(tolerance);
    expect(rms(a.pixels, a.pixels.toReversed())).toBeGreaterThan(40);
  });
});
