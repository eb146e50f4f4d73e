import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { readComplete } from '@filterscope/runs/index-document';
import type { RunDocument } from '@filterscope/runs/run-document';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { runDocuments } from './find-run.ts';
import { openResults, type Results } from './open-results.ts';

/**
 * The tables of every complete run of an output, newest first, and the runs that are not complete.
 * @param cache as for `openResults`
 * @throws FilterscopeError `no-results` when no run is complete.
 */
export async function openCompleteRuns(
  output: ObjectStore,
  signal?: AbortSignal,
  cache?: string,
): Promise<{ complete: Results[]; unfinished: RunDocument[] }> {
  const complete: Results[] = [];
  const unfinished: RunDocument[] = [];
  for (const document of await runDocuments(output, signal)) {
    if (await readComplete(output, document.run, signal))
      complete.push(await openResults(output, document, signal, cache));
    else unfinished.push(document);
  }
  if (complete.length === 0) {
    throw new FilterscopeError(
      'no-results',
      `no run in ${output.url} is complete yet; "filterscope runs" lists them`,
    );
  }
  return { complete, unfinished };
}
