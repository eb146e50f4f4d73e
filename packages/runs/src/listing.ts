import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectInfo, ObjectStore } from '@filterscope/storage/object-store';

/**
 * Every object of a dataset. What lies below `excluded` (an output URL inside the dataset) is not part of it.
 * @throws FilterscopeError `no-images` when there is none.
 */
export async function* listDataset(
  dataset: ObjectStore,
  options: { excluded?: string; onProgress?: (objects: number) => void; signal?: AbortSignal } = {},
): AsyncGenerator<ObjectInfo, void> {
  const { excluded, onProgress, signal } = options;
  const inside = excluded?.startsWith(`${dataset.url}/`)
    ? excluded.slice(dataset.url.length + 1) + '/'
    : undefined;
  let objects = 0;
  for await (const info of dataset.list('', signal)) {
    if (inside && info.key.startsWith(inside)) continue;
    yield info;
    if (++objects % 1000 === 0) onProgress?.(objects);
  }
  if (objects === 0) {
    throw new FilterscopeError(
      'no-images',
      `there are no files below ${dataset.url}; give a folder that holds images`,
    );
  }
}
