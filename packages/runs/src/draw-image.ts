import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { objectExists } from '@filterscope/storage/object-exists';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { gridLook, layerGrids, mapsForGrids } from './grids.ts';
import { readScales } from './grey-scales.ts';
import type { ImageRow } from './image-row.ts';
import { measuredLayers, type RunDocument } from './run-document.ts';
import { drawnFolder, gridKey } from './run-keys.ts';

/** One layer's grid of one image, stored. */
export interface StoredGrid {
  readonly layer: string;
  /** Key below the output URL. */
  readonly key: string;
}

/** The grids of an image that are stored, those of the run or those drawn since; undefined when there are none. */
export async function storedGrids(
  document: RunDocument,
  output: ObjectStore,
  { row, grids }: ImageRow,
  signal?: AbortSignal,
): Promise<StoredGrid[] | undefined> {
  for (const folder of [...(grids === null ? [] : [grids]), drawnFolder(document.run)]) {
    const stored = gridsIn(document, folder, row);
    const there = await Promise.all(stored.map(({ key }) => objectExists(output, key, signal)));
    if (there.every(Boolean)) return stored;
  }
  return undefined;
}

function gridsIn(document: RunDocument, folder: string, row: number): StoredGrid[] {
  const { extension } = gridLook(document);
  return measuredLayers(document).map(({ layer }) => ({
    layer,
    key: gridKey(folder, row, layer, extension),
  }));
}

/**
 * Draws the grids of one image as the run would have and stores them beside it.
 * @param openEngine called once the image has been read and decoded
 * @throws FilterscopeError `image-unreadable` when the picture is not there any more, has changed or cannot be decoded.
 */
export async function drawImage(
  document: RunDocument,
  dataset: ObjectStore,
  output: ObjectStore,
  { row, image, etag }: ImageRow,
  openEngine: () => Promise<Engine>,
  signal?: AbortSignal,
): Promise<StoredGrid[]> {
  const fetched = await dataset.get(image, undefined, signal).catch((error: unknown) => {
    if (error instanceof FilterscopeError && error.class === 'permanent')
      throw unreadable(image, error.message);
    throw error;
  });
  if (fetched.etag !== etag) throw unreadable(image, 'it has changed since the run');
  const prepared = await prepareImage(fetched.bytes, document.settings.fit, signal);
  if (prepared.status === 'failed') throw unreadable(image, prepared.message);
  const scales = await readScales(document, output, signal);
  await using engine = await openEngine();
  const [result] = await engine.infer([prepared.pixels], { maps: mapsForGrids(document, scales) }, signal);
  const folder = drawnFolder(document.run);
  await Promise.all(
    layerGrids(document, scales, image, result).map(async ({ layer, extension, encode }) => {
      await output.put(gridKey(folder, row, layer, extension), await encode(), signal ? { signal } : {});
    }),
  );
  return gridsIn(document, folder, row);
}

function unreadable(image: string, reason: string): FilterscopeError {
  return new FilterscopeError('image-unreadable', `the grids of ${image} cannot be drawn: ${reason}`);
}
