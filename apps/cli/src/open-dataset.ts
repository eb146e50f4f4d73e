import { stat } from 'node:fs/promises';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { openStore } from '@filterscope/storage/open-store';

/** @throws FilterscopeError `dataset-missing`, `dataset-not-a-folder`. */
export async function openDataset(url: string): Promise<ObjectStore> {
  const store = openStore(url);
  const info = await stat(store.url).catch(() => undefined);
  if (!info) throw new FilterscopeError('dataset-missing', `there is no folder ${store.url}`);
  if (info.isDirectory()) return store;
  throw new FilterscopeError('dataset-not-a-folder', `${store.url} is a file; give the folder it is in`);
}
