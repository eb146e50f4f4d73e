import { createHash } from 'node:crypto';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';

const etagOf = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex');

/** A store in this process's memory, for tests that make runs by the hundred. */
export function memoryStore(): ObjectStore {
  const objects = new Map<string, Uint8Array>();
  const get = (key: string): Uint8Array => {
    const bytes = objects.get(key);
    if (bytes) return bytes;
    throw new FilterscopeError('object-missing', `there is no object ${key}`);
  };
  return {
    url: 'memory://store',
    async *list(prefix) {
      for (const [key, bytes] of objects) {
        if (!key.startsWith(prefix)) continue;
        yield { key, sizeBytes: bytes.length, etag: etagOf(bytes), modifiedAt: new Date(0) };
      }
    },
    async *folders(prefix) {
      const below = [...objects.keys()].filter((key) => key.startsWith(prefix));
      const parts = below.map((key) => key.slice(prefix.length).split('/'));
      yield* new Set(parts.filter(({ length }) => length > 1).map(([name]) => name));
    },
    async get(key, range) {
      const bytes = get(key);
      const part = range ? bytes.subarray(range.start, range.end + 1) : bytes;
      return { bytes: part, etag: etagOf(bytes) };
    },
    async put(key, bytes, { ifAbsent = false } = {}) {
      if (ifAbsent && objects.has(key)) return false;
      objects.set(key, bytes);
      return true;
    },
    async copy(from, to) {
      objects.set(to, get(from));
    },
    async delete(keys) {
      for (const key of keys) objects.delete(key);
    },
    async [Symbol.asyncDispose]() {},
  };
}
