import pLimit from 'p-limit';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { carryOutChunk } from './carry-out-chunk.ts';
import { listCommits, type Commit } from './commit.ts';
import type { ImageRow } from './image-row.ts';
import { openManifest } from './manifest.ts';
import { chunkCount, type RunDocument } from './run-document.ts';
import { chunkCommitsFolder } from './run-keys.ts';

export interface RunWork {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly engine: Engine;
  /** First chunk to look at; processes that share a run without a queue begin in different places. */
  readonly firstChunk?: number;
  readonly onImage?: (row: ImageRow) => void;
  /** A chunk has its commit: this one, or, when undefined, that of another process. */
  readonly onCommitted?: (chunk: number, commit: Commit | undefined) => void;
  readonly signal: AbortSignal;
}

/** Chunks in work at a time: while one writes its results, the next keeps the engine busy. */
const CHUNKS_IN_WORK = 2;
/** Images in hand beyond those in the engine: being fetched, decoded or encoded. */
const IMAGES_AHEAD = 3;

/**
 * The in-process scheduler: carries out every chunk of a run that has no commit yet, in this process.
 * @throws the first error of a chunk, once the chunks in work have stopped; chunks committed by then stay.
 */
export async function runChunks(work: RunWork): Promise<void> {
  const { document, dataset, output, engine, onImage, signal, firstChunk = 0 } = work;
  const chunks = chunkCount(document);
  const committed = new Set((await listCommits(output, document.run, signal)).map(({ chunk }) => chunk));
  const open = Array.from({ length: chunks }, (_, i) => (firstChunk + i) % chunks).filter(
    (chunk) => !committed.has(chunk),
  );
  const manifest = openManifest(output, document.run);
  const gate = pLimit(engine.parallel + IMAGES_AHEAD);
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);

  const shared = {
    document,
    dataset,
    output,
    manifest,
    engine,
    gate,
    signal: either,
    ...(onImage && { onImage }),
  };
  const worker = async () => {
    for (let chunk = open.shift(); chunk !== undefined; chunk = open.shift()) {
      either.throwIfAborted();
      if (await hasCommit(output, document.run, chunk, either)) {
        work.onCommitted?.(chunk, undefined);
        continue;
      }
      const commit = await carryOutChunk(shared, chunk);
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

async function hasCommit(
  output: ObjectStore,
  run: string,
  chunk: number,
  signal: AbortSignal,
): Promise<boolean> {
  const folder = chunkCommitsFolder(run, chunk);
  for await (const _ of output.list(folder, signal)) return true;
  return false;
}
