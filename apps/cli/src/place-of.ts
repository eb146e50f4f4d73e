import type { ObjectStore } from '@filterscope/storage/object-store';

/** Where a person finds an object: its path on this machine, else its URL. */
export const placeOf = (store: ObjectStore, key: string): string =>
  store.localPath?.(key) ?? `${store.url}/${key}`;
