import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { carryOutChunk } from './carry-out-chunk.ts';
import { chunkStanding } from './chunk-standing.ts';
import type { Commit } from './commit.ts';
import type { ImageRow } from './image-row.ts';
import { openManifest } from './manifest.ts';
import { openChunks } from './open-chunks.ts';
import { ROWS_A_LOOK, watchPrecision, type PrecisionReached, type PrecisionWatch } from './precision.ts';
import { chunkCount, type RunDocument } from './run-document.ts';
import { createWorkplace } from './workplace.ts';

export interface RunWork {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly engine: Engine;
  /** First chunk to look at; processes that share a run without a queue begin in different places. */
  readonly firstChunk?: number;
  readonly precision?: PrecisionWatch;
  readonly onImage?: (row: ImageRow, reused: boolean) => void;
  /** A chunk has its commit: this one, or, when undefined, that of another process. */
  readonly onCommitted?: (chunk: number, commit: Commit | undefined) => void;
  readonly signal: AbortSignal;
}

/** Chunks in work at a time: while one writes its results, the next keeps the engine busy. */
export const CHUNKS_IN_WORK = 2;

/**
 * The in-process scheduler: carries out every chunk of a run that has no commit yet, in this process, or as many as it takes until
 * the run's intervals are narrow enough.
 * @returns where it stopped early, if it did
 * @throws the first error of a chunk, once the chunks in work have stopped; chunks committed by then stay. FilterscopeError
 * `run-cancelled`, `run-failed`, `run-deleted` when somebody ends the run.
 */
export async function runChunks(work: RunWork): Promise<PrecisionReached | undefined> {
  const { document, output, engine, signal, firstChunk = 0 } = work;
  const { precision = watchPrecision(document, output) } = work;
  let reached = await precision.look(signal);
  const open = inOrder(document, await openChunks(document, output, reached, signal), firstChunk);
  const stop = new AbortController();
  const failure = new AbortController();
  const shared = {
    ...work,
    manifest: openManifest(output, document.run),
    workplace: createWorkplace(engine),
    signal: AbortSignal.any([signal, failure.signal, stop.signal]),
  };
  const worker = async () => {
    for (let chunk = open.shift(); chunk !== undefined; chunk = open.shift()) {
      shared.signal.throwIfAborted();
      const standing = await chunkStanding(output, document.run, chunk, 0, shared.signal);
      const commit = standing === 'open' ? await carryOutChunk(shared, chunk) : undefined;
      work.onCommitted?.(chunk, commit);
      reached = await precision.look(shared.signal);
      if (reached) return stop.abort(new Error('enough images')); // what is in work now is of no use
    }
  };
  const workers = Array.from({ length: CHUNKS_IN_WORK }, () =>
    worker().catch((error: unknown) => {
      if (stop.signal.aborted) return;
      failure.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(workers);
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
  return reached;
}

/** From `firstChunk` on and around, within a look's chunks where a run may stop early: its beginning is to be complete early, too. */
function inOrder(document: RunDocument, chunks: readonly number[], firstChunk: number): number[] {
  const { settings, chunkSize } = document;
  const span = settings.until ? ROWS_A_LOOK / chunkSize : chunkCount(document);
  const place = (chunk: number) =>
    chunk - (chunk % span) + (((chunk % span) - (firstChunk % span) + span) % span);
  return chunks.toSorted((a, b) => place(a) - place(b));
}
