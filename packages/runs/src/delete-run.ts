import type { ObjectStore } from '@filterscope/storage/object-store';
import { readRunDocument } from './run-document.ts';
import { completeKey, indexFolder, INDEX_TABLES, runDocumentKey, runFolder } from './run-keys.ts';

const KEYS_AT_A_TIME = 1000;

/**
 * Deletes a run and its tables; weights stay, other runs may use them. The run is unknown from the first moment on;
 * what an interruption leaves is for {@link collectGarbage}.
 * @returns how many objects there were.
 * @throws FilterscopeError `unknown-run`.
 */
export async function deleteRun(output: ObjectStore, run: string, signal?: AbortSignal): Promise<number> {
  await readRunDocument(output, run, signal);
  await output.delete([completeKey(run), runDocumentKey(run)], signal);
  let deleted = 2;
  for (const folder of foldersOf(run)) deleted += await deleteFolder(output, folder, signal);
  return deleted;
}

/** All that belongs to a run. */
export const foldersOf = (run: string) => [
  ...INDEX_TABLES.map((table) => indexFolder(table, run)),
  runFolder(run),
];

export async function deleteFolder(
  output: ObjectStore,
  folder: string,
  signal?: AbortSignal,
): Promise<number> {
  let deleted = 0;
  let keys: string[] = [];
  const flush = async () => {
    await output.delete(keys, signal);
    deleted += keys.length;
    keys = [];
  };
  for await (const { key } of output.list(folder, signal)) {
    keys.push(key);
    if (keys.length === KEYS_AT_A_TIME) await flush();
  }
  await flush();
  return deleted;
}
