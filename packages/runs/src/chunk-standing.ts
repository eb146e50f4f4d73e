import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { objectExists } from '@filterscope/storage/object-exists';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { cancelledKey, commitKey, runDocumentKey, stoppedKey } from './run-keys.ts';

/**
 * What the store says of a piece of work before it is begun:
 * - `open`: to be done;
 * - `committed`: somebody has done it.
 */
export type ChunkStanding = 'open' | 'committed';

/** @throws FilterscopeError `run-cancelled`, `run-failed`, `run-deleted` when the run has ended. */
export async function chunkStanding(
  output: ObjectStore,
  run: string,
  chunk: number,
  revision: number,
  signal?: AbortSignal,
): Promise<ChunkStanding> {
  const [, committed] = await Promise.all([
    requireGoingOn(output, run, signal),
    objectExists(output, commitKey(run, chunk, revision), signal),
  ]);
  return committed ? 'committed' : 'open';
}

/** @throws FilterscopeError `run-cancelled`, `run-failed` (it was given up), `run-deleted`. */
export async function requireGoingOn(output: ObjectStore, run: string, signal?: AbortSignal): Promise<void> {
  const keys = [runDocumentKey(run), cancelledKey(run), stoppedKey(run)];
  const exist = keys.map((key) => objectExists(output, key, signal));
  const [known, cancelled, failed] = await Promise.all(exist);
  if (!known) throw new FilterscopeError('run-deleted', 'the run was deleted meanwhile');
  const kept = 'what was committed is kept';
  if (cancelled) throw new FilterscopeError('run-cancelled', `the run was cancelled; ${kept}`);
  if (failed) throw new FilterscopeError('run-failed', `the run was given up; ${kept}`);
}
