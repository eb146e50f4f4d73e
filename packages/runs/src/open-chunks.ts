import type { ObjectStore } from '@filterscope/storage/object-store';
import { listCommits } from './commit.ts';
import { chunksNeeded, type PrecisionReached } from './precision.ts';
import type { RunDocument } from './run-document.ts';

/** The chunks that lack their first pass, in rising order. */
export async function openChunks(
  document: RunDocument,
  output: ObjectStore,
  reached: PrecisionReached | undefined,
  signal?: AbortSignal,
): Promise<number[]> {
  const commits = await listCommits(output, document.run, signal);
  const committed = new Set(commits.filter(({ revision }) => revision === 0).map(({ chunk }) => chunk));
  const chunks = Array.from({ length: chunksNeeded(document, reached) }, (_, chunk) => chunk);
  return chunks.filter((chunk) => !committed.has(chunk));
}
