import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import sharp from 'sharp';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder of `images` photographs of ImageNet's usual size, 500 pixels wide: the nine sample photos, under as many names as needed. */
export async function benchmarkDataset(images: number): Promise<{ folder: string } & AsyncDisposable> {
  const scope = fileURLToPath(new URL('../../node_modules/@stdlib', import.meta.url));
  const photos = (await readdir(scope)).filter((name) => name.startsWith('datasets-img-'));
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-bench-'));
  const file = (i: number) => join(folder, `photo-${i}.jpg`);
  for (let i = 0; i < images; i++) {
    if (i >= photos.length) await copyFile(file(i % photos.length), file(i));
    else
      await sharp(join(scope, photos[i], 'data', 'image.jpg'))
        .resize(500)
        .jpeg({ quality: 92 })
        .toFile(file(i));
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
