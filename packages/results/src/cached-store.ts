import { createHash } from 'node:crypto';
import { copyFile, link, utimes, writeFile } from 'node:fs/promises';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';

export interface CacheOptions {
  /** Where fetched objects are kept; other processes may use it at the same time. */
  readonly folder: string;
  /** Objects of the same store, version and key have the same bytes. */
  readonly version: string;
  /** Which objects are kept. */
  readonly isKept: (key: string) => boolean;
  /** Those used longest ago go when all together take more. */
  readonly maxBytes?: number;
}

/** A store whose objects are fetched once. */
export interface CachedStore extends ObjectStore {
  /** Deletes what the folder has no room for. Needed only after fetching. */
  tidy(): Promise<void>;
}

const MAX_BYTES = 4 * 2 ** 30;

/**
 * A store on another machine that keeps on this one what it has fetched. A cache that cannot be written, or whose files
 * somebody else deletes at any moment, costs fetching again and nothing else.
 */
export function cachedStore(
  store: ObjectStore,
  { folder, version, isKept, maxBytes = MAX_BYTES }: CacheOptions,
): CachedStore {
  const cache = openFolderStore(folder);
  const place = createHash('sha256').update(store.url).digest('hex').slice(0, 16);
  const nameOf = (key: string) => `${place}/${version}/${key.replaceAll('/', '_')}`;
  let fetched = false;

  const fetch: ObjectStore['get'] = async (key, _, signal) => {
    const object = await store.get(key, undefined, signal);
    fetched = true;
    await cache.put(nameOf(key), object.bytes).catch(() => undefined);
    return object;
  };
  /** By the time of modification it is told what was used last. */
  const touch = async (key: string) => {
    const now = new Date();
    await utimes(cache.localPath!(nameOf(key)), now, now).catch(() => undefined);
  };

  return {
    ...store,
    async get(key, range, signal) {
      if (range || !isKept(key)) return store.get(key, range, signal);
      const kept = await cache.get(nameOf(key), undefined, signal).catch(() => undefined);
      signal?.throwIfAborted();
      if (!kept) return fetch(key, undefined, signal);
      await touch(key);
      return kept;
    },
    async download(key, path, signal) {
      if (!isKept(key)) return writeFile(path, (await store.get(key, undefined, signal)).bytes);
      const kept = cache.localPath!(nameOf(key));
      if (await linkOrCopy(kept, path)) return touch(key);
      const { bytes } = await fetch(key, undefined, signal);
      if (!(await linkOrCopy(kept, path))) await writeFile(path, bytes);
    },
    async tidy() {
      if (!fetched) return;
      fetched = false;
      await deleteOldest(cache, maxBytes).catch(() => undefined);
    },
  };
}

/** Gives a file a second name, so that it stays when the first one goes; a copy where names cannot be had. */
async function linkOrCopy(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch(() => copyFile(from, to));
    return true;
  } catch {
    return false;
  }
}

async function deleteOldest(cache: ObjectStore, maxBytes: number): Promise<void> {
  const files = (await Array.fromAsync(cache.list(''))).toSorted((a, b) => +b.modifiedAt - +a.modifiedAt);
  let bytes = 0;
  const beyond = files.filter(({ sizeBytes }) => (bytes += sizeBytes) > maxBytes);
  await cache.delete(beyond.map(({ key }) => key));
  await cache[Symbol.asyncDispose]();
}
