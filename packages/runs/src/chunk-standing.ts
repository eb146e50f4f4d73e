import { objectExists } from '@filterscope/storage/object-exists';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { cancelledKey, commitKey, runDocumentKey } from './run-keys.ts';

/**
 * What the store says of a piece of work before it is begun:
 * - `open`: to be done;
 * - `committed`: somebody has done it;
 * - `cancelled`, `deleted`: its run has ended.
 */
export type ChunkStanding = 'open' | 'committed' | 'cancelled' | 'deleted';

export async function chunkStanding(
  output: ObjectStore,
  run: string,
  chunk: number,
  revision: number,
  signal?: AbortSignal,
): Promise<ChunkStanding> {
  const exists = (key: string) => objectExists(output, key, signal);
  const [known, cancelled, committed] = await Promise.all([
    exists(runDocumentKey(run)),
    exists(cancelledKey(run)),
    exists(commitKey(run, chunk, revision)),
  ]);
  if (!known) return 'deleted';
  if (cancelled) return 'cancelled';
  return committed ? 'committed' : 'open';
}
