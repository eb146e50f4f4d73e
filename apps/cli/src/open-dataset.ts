import { stat } from 'node:fs/promises';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { datasetAccess, type RunDocument } from '@filterscope/runs/run-document';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Context } from './context.ts';
import { openStoreHere } from './open-output.ts';

/**
 * The store that a dataset's images are in. One in S3 is looked at when it is listed.
 * @throws FilterscopeError `dataset-missing`, `dataset-not-a-folder`, `unsupported-url`, `bad-url`.
 */
export async function openDataset(
  context: Context,
  url: string,
  access: RunDocument['access'],
): Promise<ObjectStore> {
  const store = await openStoreHere(context, url, datasetAccess(access));
  if (!store.localPath) return store;
  const info = await stat(store.url).catch(() => undefined);
  if (!info) throw new FilterscopeError('dataset-missing', `there is no folder ${store.url}`);
  if (info.isDirectory()) return store;
  throw new FilterscopeError('dataset-not-a-folder', `${store.url} is a file; give the folder it is in`);
}
