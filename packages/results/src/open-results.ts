import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { buildIndex } from '@filterscope/runs/build-index';
import { listCommits, readNamed } from '@filterscope/runs/commit';
import { readComplete, type IndexDocument } from '@filterscope/runs/index-document';
import { chunksNeeded, readPrecision } from '@filterscope/runs/precision';
import type { RunDocument } from '@filterscope/runs/run-document';
import { manifestFolder } from '@filterscope/runs/run-keys';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { cachedStore } from './cached-store.ts';

/** A run's tables, ready to be asked. */
export interface Results extends AsyncDisposable {
  readonly document: RunDocument;
  readonly index: IndexDocument;
  /** False while the run goes on: the tables then hold the chunks committed so far, a fair sample of the whole. */
  readonly complete: boolean;
  readonly output: ObjectStore;
  /** Holds the tables, all but `readings`, which are in `output`; maybe `output` itself, so that a question fetches what it reads. */
  readonly tables: ObjectStore;
}

/**
 * The tables of a run: those of its index, or, before it is complete, of the commits there are.
 * @param cache folder in which tables of a complete run are kept once they were fetched from another machine; without, they are
 * fetched for each question
 * @throws FilterscopeError `no-results` before the first commit.
 */
export async function openResults(
  output: ObjectStore,
  document: RunDocument,
  signal?: AbortSignal,
  cache?: string,
): Promise<Results> {
  const index = await readComplete(output, document.run, signal);
  if (index) return completeResults(output, document, index, cache);
  const reached = await readPrecision(document, output, signal);
  const needed = chunksNeeded(document, reached);
  const names = (await listCommits(output, document.run, signal)).filter(({ chunk }) => chunk < needed);
  const commits = await Array.fromAsync(readNamed(output, document.run, names, signal));
  if (commits.length === 0) {
    const message = `run ${document.run.slice(0, 12)} has no results yet; "filterscope status" tells how far it is`;
    throw new FilterscopeError('no-results', message);
  }
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-'));
  const tables = openFolderStore(folder);
  const dispose = () => rm(folder, { recursive: true, force: true });
  try {
    const partial = await buildIndex({
      document,
      commits,
      output,
      into: tables,
      reached,
      ...(signal && { signal }),
    });
    return { document, index: partial, complete: false, output, tables, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function completeResults(
  output: ObjectStore,
  document: RunDocument,
  index: IndexDocument,
  cache: string | undefined,
): Results {
  const results = { document, index, complete: true };
  if (cache === undefined || output.localPath)
    return { ...results, output, tables: output, async [Symbol.asyncDispose]() {} };
  const { tables, merged, generation } = index;
  const kept = new Set([merged, ...Object.values(tables).flat()]);
  const manifest = manifestFolder(document.run);
  // Attempts of the commits make a generation unlike any other, also that of the same run deleted and made again.
  const store = cachedStore(output, {
    folder: cache,
    version: generation,
    isKept: (key) => kept.has(key) || key.startsWith(manifest),
  });
  return { ...results, output: store, tables: store, [Symbol.asyncDispose]: () => store.tidy() };
}
