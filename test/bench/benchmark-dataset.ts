import { copyFile, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder of `images` photographs: the nine sample photos, under as many names as needed. */
export async function benchmarkDataset(images: number): Promise<{ folder: string } & AsyncDisposable> {
  const scope = fileURLToPath(new URL('../../node_modules/@stdlib', import.meta.url));
  const photos = (await readdir(scope)).filter((name) => name.startsWith('datasets-img-'));
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-bench-'));
  for (let i = 0; i < images; i++) {
    await copyFile(
      join(scope, photos[i % photos.length], 'data', 'image.jpg'),
      join(folder, `photo-${i}.jpg`),
    );
  }
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) };
}
