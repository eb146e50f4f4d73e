import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import {
  copyFile,
  link,
  lstat,
  mkdir,
  open,
  opendir,
  readdir,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { dirname, join, resolve, sep } from 'node:path';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { errnoOf, folderError } from './folder-error.ts';
import type { ByteRange, ObjectInfo, ObjectStore, PutOptions } from './object-store.ts';

/** Objects being written lie here, on the same file system as their place, and get their name when they are whole. */
const UNFINISHED = '.filterscope-unfinished';
const ABANDONED_AFTER_MS = 60 * 60 * 1000;
const FOLDER_TRIES = 20;

/**
 * Objects as files below a folder, which is created by the first `put`. Symbolic links are followed; a link that leads
 * back to a folder above it is passed over.
 */
export function openFolderStore(path: string): ObjectStore {
  const root = resolve(path);

  const fileOf = (key: string): string => {
    const file = join(root, ...key.split('/'));
    if (key.includes('\0') || (file !== root && !file.startsWith(root + sep))) {
      throw new FilterscopeError('bad-key', `the key ${JSON.stringify(key)} leads out of ${root}`);
    }
    return file;
  };
  const unfinishedFile = () => join(root, UNFINISHED, randomUUID());

  return {
    url: root,
    localPath: fileOf,

    async *list(prefix, signal) {
      const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
      for await (const info of walk(fileOf(folder), folder, [], signal)) {
        if (info.key.startsWith(prefix)) yield info;
      }
    },

    async *folders(prefix, signal) {
      const entries = await readdir(fileOf(prefix), { withFileTypes: true }).catch(nothingIfMissing);
      signal?.throwIfAborted();
      for (const entry of entries) {
        if (entry.isDirectory() && entry.name !== UNFINISHED) yield entry.name;
      }
    },

    async get(key, range, signal) {
      signal?.throwIfAborted();
      try {
        await using file = await open(fileOf(key), 'r');
        const before = await file.stat();
        const bytes = range ? await readRange(file, range) : new Uint8Array(await file.readFile({ signal }));
        return { bytes, etag: etagOf(before) };
      } catch (error) {
        throw folderError(error, `${root}/${key}`);
      }
    },

    async put(key, bytes, { ifAbsent = false, signal }: PutOptions = {}) {
      signal?.throwIfAborted();
      const place = fileOf(key);
      const unfinished = unfinishedFile();
      try {
        await inFolderOf(unfinished, () => writeDurably(unfinished, bytes));
        return await inFolderOf(place, async () => {
          if (ifAbsent) return createLink(unfinished, place);
          await rename(unfinished, place);
          return true;
        });
      } catch (error) {
        throw folderError(error, place);
      } finally {
        await removeFile(unfinished);
      }
    },

    async copy(from, to, signal) {
      signal?.throwIfAborted();
      const place = fileOf(to);
      const unfinished = unfinishedFile();
      try {
        // A second name for the same bytes costs no space; objects are replaced, never changed in place.
        await inFolderOf(unfinished, () =>
          link(fileOf(from), unfinished).catch((error) => copyUnlessMissing(error, fileOf(from), unfinished)),
        );
        await inFolderOf(place, () => rename(unfinished, place));
      } catch (error) {
        throw folderError(error, `${root}/${from}`);
      } finally {
        // Renaming one name of a file onto another of the same file leaves both (POSIX).
        await removeFile(unfinished);
      }
    },

    async delete(keys, signal) {
      for (const key of keys) {
        signal?.throwIfAborted();
        const file = fileOf(key);
        try {
          await rm(file, { force: true });
        } catch (error) {
          throw folderError(error, file);
        }
        await removeEmptyFolders(dirname(file), root);
      }
    },

    async [Symbol.asyncDispose]() {
      await deleteAbandoned(join(root, UNFINISHED));
      await removeEmptyFolders(join(root, UNFINISHED), root);
    },
  };
}

async function* walk(
  folder: string,
  keyPrefix: string,
  above: readonly string[],
  signal?: AbortSignal,
): AsyncGenerator<ObjectInfo> {
  const real = await realpath(folder).catch((error: unknown) => undefinedIfMissing(error, folder));
  if (real === undefined || above.includes(real)) return;
  const directory = await opendir(folder, { bufferSize: 256 }).catch((error: unknown) =>
    undefinedIfMissing(error, folder),
  );
  if (!directory) return;
  for await (const entry of directory) {
    signal?.throwIfAborted();
    if (entry.name === UNFINISHED) continue;
    const file = join(folder, entry.name);
    const key = keyPrefix + entry.name;
    if (entry.isDirectory()) {
      yield* walk(file, `${key}/`, [...above, real], signal);
      continue;
    }
    const info = entry.isSymbolicLink()
      ? await stat(file).catch(() => undefined)
      : await lstat(file).catch(() => undefined);
    if (info?.isDirectory()) yield* walk(file, `${key}/`, [...above, real], signal);
    else if (info?.isFile()) {
      yield { key, sizeBytes: info.size, etag: etagOf(info), modifiedAt: info.mtime };
    } else if (entry.isSymbolicLink()) {
      yield { key, sizeBytes: 0, etag: 'broken-link', modifiedAt: new Date(0) };
    }
  }
}

function etagOf({ size, mtimeMs }: { size: number; mtimeMs: number }): string {
  return `${size}-${Math.round(mtimeMs * 1000)}`;
}

async function readRange(
  file: Awaited<ReturnType<typeof open>>,
  { start, end }: ByteRange,
): Promise<Uint8Array> {
  const buffer = new Uint8Array(end - start + 1);
  const { bytesRead } = await file.read(buffer, 0, buffer.length, start);
  return buffer.subarray(0, bytesRead);
}

/**
 * Does something that makes `file`, in its folder. Again, when another process has removed the folder in between: each
 * removes what it leaves empty.
 */
async function inFolderOf<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      await mkdir(dirname(file), { recursive: true });
      return await work();
    } catch (error) {
      // Making a path of folders says ENOTDIR when one of them goes away at the wrong moment.
      if (!['ENOENT', 'ENOTDIR'].includes(errnoOf(error) ?? '') || tries === FOLDER_TRIES) throw error;
    }
  }
}

/** What cannot be removed now is removed later, as abandoned. */
async function removeFile(path: string): Promise<void> {
  await rm(path, { force: true }).catch(() => undefined);
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx');
  await file.writeFile(bytes);
  await file.sync();
}

/** Gives a finished file its name unless the name is taken. */
async function createLink(unfinished: string, place: string): Promise<boolean> {
  try {
    await link(unfinished, place);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(errnoOf(error) ?? '')) throw error;
  }
  // A file system without hard links (exFAT, some network shares): exclusive creation still has one winner.
  try {
    await copyFile(unfinished, place, constants.COPYFILE_EXCL);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function copyUnlessMissing(error: unknown, from: string, to: string): Promise<void> {
  if (errnoOf(error) === 'ENOENT') throw error;
  await copyFile(from, to);
}

/** What killed processes left half-written. */
async function deleteAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(nothingIfMissing)) {
    const file = join(folder, name);
    const info = await stat(file).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > ABANDONED_AFTER_MS) await rm(file, { force: true });
  }
}

async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let path = folder; path.startsWith(root + sep); path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      return; // not empty, or gone already
    }
  }
}

function undefinedIfMissing(error: unknown, path: string): undefined {
  if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw folderError(error, path);
}

function nothingIfMissing(error: unknown): [] {
  if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
  throw error;
}
