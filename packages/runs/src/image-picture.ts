import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { decodePicture, encodePicture, PICTURE_TYPE } from '@filterscope/imaging/picture-file';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Refusal } from './process-image.ts';
import type { RunDocument } from './run-document.ts';
import { pictureKey } from './run-keys.ts';

/** An image as the network saw it `[row, column, channel]`, 224×224×3, sRGB, as it is stored; undefined where it is not. */
export async function readPicture(
  output: ObjectStore,
  run: string,
  row: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  try {
    return await decodePicture((await output.get(pictureKey(run, row), undefined, signal)).bytes);
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'object-missing') return undefined;
    throw error;
  }
}

export interface PictureWork {
  readonly document: RunDocument;
  readonly output: ObjectStore;
  readonly signal: AbortSignal;
}

/**
 * Prepares an image as the run did and stores what the network saw. The same image gives the same bytes under the same name.
 * @param bytes the image's file, as it was listed
 * @returns the pixels as in {@link readPicture}, or why this image has none.
 * @throws the store's errors.
 */
export async function preparePicture(
  { document, output, signal }: PictureWork,
  row: number,
  bytes: Uint8Array,
): Promise<{ pixels: Uint8Array } | Refusal> {
  const prepared = await prepareImage(bytes, document.settings.fit, signal);
  if (prepared.status === 'failed') return { code: prepared.code, message: prepared.message };
  const { pixels } = prepared;
  const options = { contentType: PICTURE_TYPE, signal };
  await output.put(pictureKey(document.run, row), await encodePicture(pixels), options);
  return { pixels };
}
