import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { readRunDocument, type RunDocument } from '@filterscope/runs/run-document';
import { RUNS } from '@filterscope/runs/run-keys';
import { runState, type RunState } from '@filterscope/runs/run-status';
import type { ObjectStore } from '@filterscope/storage/object-store';

/** A line of `runs`. */
export interface RunListing {
  readonly run: string;
  readonly dataset: string;
  readonly weights: string;
  readonly synthetic: boolean;
  readonly state: RunState;
  readonly images: number;
  readonly createdAt: string;
}

/** Every run of an output, newest first. */
export async function listRuns(output: ObjectStore, signal?: AbortSignal): Promise<RunListing[]> {
  const documents = await runDocuments(output, signal);
  return Promise.all(
    documents.map(async ({ run, dataset, weights, manifest, createdAt }) => {
      const state = await runState(output, run, signal);
      const { name, synthetic } = weights;
      return { run, dataset, weights: name, synthetic, state, images: manifest.rows, createdAt };
    }),
  );
}

/** `run.json` of every run of an output, newest first. */
export async function runDocuments(output: ObjectStore, signal?: AbortSignal): Promise<RunDocument[]> {
  return readDocuments(output, await runIds(output, signal), signal);
}

/**
 * The run that a person means: its id, an unambiguous beginning of it, or `latest`.
 * @throws FilterscopeError `unknown-run`, `ambiguous-run`.
 */
export async function findRun(output: ObjectStore, name: string, signal?: AbortSignal): Promise<RunDocument> {
  const runs = await runIds(output, signal);
  if (name === 'latest') {
    const [latest] = await readDocuments(output, runs, signal);
    if (latest) return latest;
    throw new FilterscopeError(
      'unknown-run',
      `there is no run in ${output.url} yet; start one with "filterscope analyze <folder>"`,
    );
  }
  const matches = /^[0-9a-f]{1,64}$/.test(name) ? runs.filter((run) => run.startsWith(name)) : [];
  const documents = await readDocuments(output, matches, signal);
  if (documents.length === 1) return documents[0];
  if (documents.length === 0) {
    throw new FilterscopeError(
      'unknown-run',
      `there is no run "${name}" in ${output.url}; "filterscope runs" lists them`,
    );
  }
  const ids = documents.map(({ run }) => run.slice(0, 12)).join(', ');
  throw new FilterscopeError('ambiguous-run', `"${name}" can be any of ${ids}; write more of the id`);
}

async function runIds(output: ObjectStore, signal?: AbortSignal): Promise<string[]> {
  return (await Array.fromAsync(output.folders(RUNS, signal))).filter((name) => /^[0-9a-f]{64}$/.test(name));
}

/** Newest first. A folder without its `run.json` is a run that is still being planned, or one that is being deleted. */
async function readDocuments(
  output: ObjectStore,
  runs: readonly string[],
  signal?: AbortSignal,
): Promise<RunDocument[]> {
  const documents = await Promise.all(
    runs.map((run) =>
      readRunDocument(output, run, signal).catch((error: unknown) => {
        if (error instanceof FilterscopeError && error.code === 'unknown-run') return undefined;
        throw error;
      }),
    ),
  );
  return documents.flatMap((document) => document ?? []).toSorted(newestFirst);
}

function newestFirst(a: RunDocument, b: RunDocument): number {
  return b.createdAt.localeCompare(a.createdAt) || a.run.localeCompare(b.run);
}
