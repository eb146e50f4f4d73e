import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { buildIndex, generationOf } from './build-index.ts';
import { listCommits, readNamed } from './commit.ts';
import { readComplete, type IndexDocument } from './index-document.ts';
import { encodeJson } from './parse-stored.ts';
import { chunksNeeded, watchPrecision, type PrecisionWatch } from './precision.ts';
import type { RunDocument } from './run-document.ts';
import { completeKey, indexFolder, INDEX_TABLES } from './run-keys.ts';

/**
 * Builds a run's index from its commits and marks the run complete. Any process may do so at any time, and again: the
 * outcome is the same.
 * @param precision a watch that has seen the run so far; without one, it is all looked at here
 * @returns undefined while a chunk has no commit.
 * @throws FilterscopeError `rows-lost` when the commits do not account for every row of the manifest.
 */
export async function completeRun(
  document: RunDocument,
  output: ObjectStore,
  signal?: AbortSignal,
  precision: PrecisionWatch = watchPrecision(document, output),
): Promise<IndexDocument | undefined> {
  const { run } = document;
  for (;;) {
    const listed = await listCommits(output, run, signal);
    // After the listing, so that the look sees at least what is listed: whoever had the last commit may have died before it looked.
    const reached = await precision.look(signal);
    const needed = chunksNeeded(document, reached);
    const names = listed.filter(({ chunk }) => chunk < needed);
    if (names.filter(({ revision }) => revision === 0).length < needed) return undefined;
    const commits = await Array.fromAsync(readNamed(output, run, names, signal));
    const complete = await readComplete(output, run, signal);
    if (complete?.generation === generationOf(commits)) return complete;

    const work = { document, commits, output, into: output, reached };
    const index = await buildIndex({ ...work, ...(signal && { signal }) });
    requireEveryRow(document, index);
    await output.put(completeKey(run), encodeJson(index), {
      contentType: 'application/json',
      ...(signal && { signal }),
    });
    // While this process was at it, or was frozen, a retry may have added commits, and another process may have completed the run with them.
    const now = (await listCommits(output, run, signal)).filter(({ chunk }) => chunk < needed);
    if (now.length === commits.length) {
      await deleteOlderTables(output, index, signal);
      return index;
    }
  }
}

function requireEveryRow({ run, manifest }: RunDocument, { ok, failed, skipped }: IndexDocument): void {
  const accounted = ok + failed + skipped;
  if (accounted === manifest.rows) return;
  const message = `run ${run} accounts for ${accounted} of ${manifest.rows} images`;
  throw new FilterscopeError('rows-lost', message);
}

/** Whoever reads all files of a table must not find two generations of it. */
async function deleteOlderTables(
  output: ObjectStore,
  { run, tables }: IndexDocument,
  signal?: AbortSignal,
): Promise<void> {
  for (const table of INDEX_TABLES) {
    const current = new Set(tables[table]);
    const listed = await Array.fromAsync(output.list(indexFolder(table, run), signal));
    await output.delete(
      listed.map(({ key }) => key).filter((key) => !current.has(key)),
      signal,
    );
  }
}
