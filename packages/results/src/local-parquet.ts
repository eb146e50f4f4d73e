import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settleAll } from '@filterscope/runs/settle-all';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { quoted } from './quoted.ts';

const FETCHED_AT_A_TIME = 8;

/** Paths of objects for DuckDB, fetched from a store that is not on this machine. @param folder of the fetched files */
export async function localFiles(
  store: ObjectStore,
  keys: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<string[]> {
  if (store.localPath) return keys.map((key) => store.localPath!(key));
  await mkdir(folder, { recursive: true });
  const fetch = async (key: string) => {
    const file = join(folder, key.replaceAll('/', '_'));
    if (store.download) await store.download(key, file, signal);
    else await writeFile(file, (await store.get(key, undefined, signal)).bytes);
    return file;
  };
  const files: string[] = [];
  for (let i = 0; i < keys.length; i += FETCHED_AT_A_TIME) {
    files.push(...(await settleAll(keys.slice(i, i + FETCHED_AT_A_TIME).map(fetch))));
  }
  return files;
}

/** The rows of Parquet files, for a query. */
export const parquet = (files: readonly string[]) =>
  `read_parquet([${files.map(quoted).join(', ')}], hive_partitioning = false)`;
