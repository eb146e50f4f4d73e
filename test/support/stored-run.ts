import { createHash } from 'node:crypto';
import { readCommits, type Commit } from '@filterscope/runs/commit';
import { readComplete } from '@filterscope/runs/index-document';
import { decodeParquet } from '@filterscope/runs/parquet';
import { picturesFolder } from '@filterscope/runs/run-keys';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';

/** Everything that a run answers with, free of what may differ between two executions of the same work. */
export interface StoredRun {
  readonly layers: unknown[];
  readonly filters: unknown[];
  /** Without the attempt's folder, but with whether there is one. */
  readonly images: Record<string, unknown>[];
  /** In order of rows. */
  readonly readings: Record<string, unknown>[];
  /** SHA-256 of the merged sums. */
  readonly merged: string;
  /** SHA-256 of every grid by `<row>/<layer>.<ext>`. */
  readonly grids: Readonly<Record<string, string>>;
}

/** A store, or the folder of one. */
type Place = string | ObjectStore;
const storeAt = (place: Place) => (typeof place === 'string' ? openFolderStore(place) : place);

/** @throws when the run is not complete. */
export async function readStoredRun(place: Place, run: string): Promise<StoredRun> {
  const output = storeAt(place);
  const complete = await readComplete(output, run);
  if (!complete) throw new Error(`run ${run} is not complete`);
  const rows = async (keys: readonly string[]) => {
    const tables = await Promise.all(keys.map(async (key) => decodeParquet((await output.get(key)).bytes)));
    return tables.flat();
  };
  const { tables } = complete;
  const images = (await rows(tables.images)).map((row) => ({ ...row, grids: row['grids'] !== null }));
  return {
    layers: await rows(tables.layers),
    filters: await rows(tables.filters),
    images,
    readings: (await rows(tables.readings)).toSorted((a, b) => Number(a['row']) - Number(b['row'])),
    merged: digest((await output.get(complete.merged)).bytes),
    grids: await readGrids(output, run),
  };
}

/** SHA-256 of every picture that crops are cut out of, by row. */
export async function storedPictures(place: Place, run: string): Promise<Record<string, string>> {
  const output = storeAt(place);
  const pictures: [string, string][] = [];
  for await (const { key } of output.list(picturesFolder(run))) {
    pictures.push([key.slice(picturesFolder(run).length), digest((await output.get(key)).bytes)]);
  }
  return Object.fromEntries(pictures.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Every commit, in order of chunk and revision. */
export async function commitsOf(place: Place, run: string): Promise<Commit[]> {
  return Array.fromAsync(readCommits(storeAt(place), run));
}

/** Keys of objects below `chunks/` that no commit vouches for. */
export async function uncommittedObjects(place: Place, run: string): Promise<string[]> {
  const output = storeAt(place);
  const committed = (await commitsOf(output, run)).map((commit) => commit.folder);
  const keys = (await Array.fromAsync(output.list(`runs/${run}/chunks/`))).map(({ key }) => key);
  return keys.filter((key) => !committed.some((attempt) => key.startsWith(attempt)));
}

async function readGrids(output: ObjectStore, run: string): Promise<Record<string, string>> {
  const grids: [string, string][] = [];
  for await (const { folder } of readCommits(output, run)) {
    for await (const { key } of output.list(`${folder}grids/`)) {
      grids.push([key.slice(`${folder}grids/`.length), digest((await output.get(key)).bytes)]);
    }
  }
  return Object.fromEntries(grids.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
