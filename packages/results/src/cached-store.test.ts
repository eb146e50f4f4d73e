import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { cachedStore, type CacheOptions } from './cached-store.ts';

let folder: string;
let store: ObjectStore;
let fetched: string[];
let options: CacheOptions;
let round = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filterscope-cached-'));
  const there = openFolderStore(join(folder, 'there'));
  for (const name of ['a', 'b', 'c', 'other'])
    await there.put(`index/${name}`, Buffer.from(name.repeat(100)));
  store = {
    ...there,
    async get(key, range, signal) {
      fetched.push(key);
      return there.get(key, range, signal);
    },
  };
});
const isNotOther = (key: string) => !key.endsWith('other');
beforeEach(() => {
  fetched = [];
  options = { folder: join(folder, `cache-${round++}`), version: 'v1', isKept: isNotOther };
});
afterAll(() => rm(folder, { recursive: true }));

const read = async (from: ObjectStore, key: string) => Buffer.from((await from.get(key)).bytes).toString();
const a = 'a'.repeat(100);

test('an object is fetched once, by whichever process; another version of it again', async () => {
  const one = cachedStore(store, options);
  expect(await read(one, 'index/a')).toBe(a);
  expect(await read(one, 'index/a')).toBe(a);
  expect(await read(cachedStore(store, options), 'index/a')).toBe(a);
  await one.download!('index/a', join(folder, `file-${round}`));
  expect(await readFile(join(folder, `file-${round}`), 'utf8')).toBe(a);
  expect(fetched).toEqual(['index/a']);
  expect(await read(cachedStore(store, { ...options, version: 'v2' }), 'index/a')).toBe(a);
  expect(await read(cachedStore({ ...store, url: 's3://elsewhere' }, options), 'index/a')).toBe(a);
  expect(fetched).toHaveLength(3);
});

test('what is not to be kept, and parts of objects, are fetched each time', async () => {
  const cached = cachedStore(store, options);
  await read(cached, 'index/other');
  await read(cached, 'index/other');
  await cached.download!('index/other', join(folder, `file-${round}`));
  await cached.get('index/a', { start: 0, end: 3 });
  expect((await cached.get('index/a', { start: 0, end: 3 })).bytes).toHaveLength(4);
  expect(fetched).toHaveLength(5);
});

test('beyond its size, what was used longest ago goes', async () => {
  const cached = cachedStore(store, { ...options, maxBytes: 250 });
  const files = async () =>
    (await readdir(options.folder, { recursive: true })).filter((name) => name.includes('index_'));
  for (const key of ['index/a', 'index/b']) await read(cached, key);
  const yesterday = new Date(Date.now() - 86_400_000);
  for (const file of await files()) await utimes(join(options.folder, file), yesterday, yesterday);
  for (const key of ['index/a', 'index/c']) await read(cached, key);
  await cached.tidy();
  expect(await files()).toHaveLength(2);
  fetched = [];
  for (const key of ['index/a', 'index/c', 'index/b']) await read(cached, key);
  expect(fetched).toEqual(['index/b']);
});

test('a file that was downloaded stays when the cache drops it', async () => {
  const cached = cachedStore(store, { ...options, maxBytes: 10 });
  const file = join(folder, `file-${round}`);
  await cached.download!('index/a', file);
  await cached.tidy();
  expect(await readFile(file, 'utf8')).toBe(a);
  await read(cached, 'index/a');
  expect(fetched).toEqual(['index/a', 'index/a']);
});

test('a cache that cannot be written costs fetching again, and nothing else', async () => {
  await writeFile(options.folder, 'no folder');
  const cached = cachedStore(store, options);
  expect(await read(cached, 'index/a')).toBe(a);
  const file = join(folder, `file-${round}`);
  await cached.download!('index/a', file);
  expect(await readFile(file, 'utf8')).toBe(a);
  await cached.tidy();
  expect(fetched).toEqual(['index/a', 'index/a']);
  await expect(cached.get('index/missing')).rejects.toMatchObject({ code: 'object-missing' });
});
