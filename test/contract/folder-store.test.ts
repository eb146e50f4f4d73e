import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFolderStore } from '@filterscope/storage/folder-store';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { objectStoreContract } from './object-store.ts';

const newFolder = temporaryFolders();

objectStoreContract('the folder store', async () => openFolderStore(await newFolder()));

test('a key cannot lead out of the folder', async () => {
  await using store = openFolderStore(await newFolder());
  for (const key of ['../outside', 'a/../../outside', 'nul\0byte']) {
    await expect(store.put(key, new Uint8Array(1))).rejects.toMatchObject({ code: 'bad-key' });
  }
});

test('symbolic links are followed, loops are not, and a broken link is listed so that it is accounted for', async () => {
  const root = await newFolder();
  await mkdir(join(root, 'real'));
  await writeFile(join(root, 'real', 'a.jpg'), 'a');
  await symlink(join(root, 'real'), join(root, 'linked'));
  await symlink(root, join(root, 'real', 'loop'));
  await symlink(join(root, 'nowhere'), join(root, 'broken.jpg'));
  const keys = (await Array.fromAsync(openFolderStore(root).list(''))).map(({ key }) => key);
  expect(keys.toSorted()).toEqual(['broken.jpg', 'linked/a.jpg', 'real/a.jpg']);
});

test('folders that others remove for being empty do not get in the way of a put or a copy', async () => {
  const root = await newFolder();
  await using store = openFolderStore(root);
  await store.put('origin', new Uint8Array(1));
  const over = new AbortController();
  const others = Array.from({ length: 4 }, async (_, i) => {
    while (!over.signal.aborted) {
      await using other = openFolderStore(root);
      await other.put(`shared/folder/${i}`, new Uint8Array(1));
      await other.delete([`shared/folder/${i}`]);
    }
  });
  try {
    for (let i = 0; i < 400; i++) {
      expect(await store.put('shared/folder/mine', new Uint8Array(8), { ifAbsent: i % 2 === 0 })).toBe(true);
      await store.copy('origin', 'shared/folder/copy');
      await store.delete(['shared/folder/mine', 'shared/folder/copy']);
    }
  } finally {
    over.abort();
    await Promise.all(others);
  }
});

test('a put that fails leaves nothing behind', async () => {
  const root = await newFolder();
  await writeFile(join(root, 'file'), 'in the way');
  await using store = openFolderStore(root);
  await expect(store.put('file/below', new Uint8Array(8))).rejects.toMatchObject({ code: 'not-a-folder' });
  await store[Symbol.asyncDispose]();
  expect(await readdir(root)).toEqual(['file']);
});
