import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { carryOutChunk } from './carry-out-chunk.ts';
import { chunkStanding } from './chunk-standing.ts';
import { listCommits, type Commit } from './commit.ts';
import type { ImageRow } from './image-row.ts';
import { openManifest } from './manifest.ts';
import { chunkCount, type RunDocument } from './run-document.ts';
import { createWorkplace } from './workplace.ts';

export interface RunWork {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly engine: Engine;
  /** First chunk to look at; processes that share a run without a queue begin in different places. */
  readonly firstChunk?: number;
  readonly onImage?: (row: ImageRow, reused: boolean) => void;
  /** A chunk has its commit: this one, or, when undefined, that of another process. */
  readonly onCommitted?: (chunk: number, commit: Commit | undefined) => void;
  readonly signal: AbortSignal;
}

/** Chunks in work at a time: while one writes its results, the next keeps the engine busy. */
export const CHUNKS_IN_WORK = 2;

/**
 * The in-process scheduler: carries out every chunk of a run that has no commit yet, in this process.
 * @throws the first error of a chunk, once the chunks in work have stopped; chunks committed by then stay. FilterscopeError
 * `run-cancelled`, `run-failed`, `run-deleted` when somebody ends the run.
 */
export async function runChunks(work: RunWork): Promise<void> {
  const { document, output, engine, signal, firstChunk = 0 } = work;
  const chunks = chunkCount(document);
  const committed = new Set((await listCommits(output, document.run, signal)).map(({ chunk }) => chunk));
  const open = Array.from({ length: chunks }, (_, i) => (firstChunk + i) % chunks).filter(
    (chunk) => !committed.has(chunk),
  );
  const failure = new AbortController();
  const shared = {
    ...work,
    manifest: openManifest(output, document.run),
    workplace: createWorkplace(engine),
    signal: AbortSignal.any([signal, failure.signal]),
  };
  const worker = async () => {
    for (let chunk = open.shift(); chunk !== undefined; chunk = open.shift()) {
      shared.signal.throwIfAborted();
      const standing = await chunkStanding(output, document.run, chunk, 0, shared.signal);
      const commit = standing === 'open' ? await carryOutChunk(shared, chunk) : undefined;
      work.onCommitted?.(chunk, commit);
    }
  };
  const workers = Array.from({ length: CHUNKS_IN_WORK }, () =>
    worker().catch((error: unknown) => {
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
}
