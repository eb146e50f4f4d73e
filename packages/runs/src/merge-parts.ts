import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { mergeAccumulators, type Accumulator } from '@filterscope/statistics/accumulator';
import { addPart, emptyAccumulator, type MergePart } from './add-part.ts';
import type { MergeReply, MergeTask } from './merge-thread.ts';
import type { RunDocument } from './run-document.ts';

/** Parts that are worth another thread: it takes as long to start as these to merge. */
const PARTS_A_THREAD = 32;

/** How many threads merge so many parts fastest here; 0 for this one. */
export const mergingThreads = (parts: number): number =>
  Math.min(Math.floor(parts / PARTS_A_THREAD), availableParallelism());

/**
 * All parts of a run together, which must have no image in common. Sums are exact, so that it does not matter which thread merges what.
 * @param threads 0 to merge in this one
 * @throws RangeError for a part that holds no statistics of these layers, and whatever `parts` throws.
 */
export async function mergeParts(
  document: RunDocument,
  parts: AsyncGenerator<MergePart>,
  threads: number,
): Promise<Accumulator> {
  const merged = emptyAccumulator(document);
  if (threads === 0) {
    for await (const part of parts) {
      addPart(document, merged, part);
      await setImmediate(); // one takes some milliseconds, which must not add up on the event loop
    }
    return merged;
  }
  const workers = Array.from({ length: threads }, () => startThread(document));
  try {
    for (const share of await Promise.all(workers.map((worker) => mergeShare(worker, parts)))) {
      mergeAccumulators(merged, share);
    }
    return merged;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

const startThread = (workerData: RunDocument) =>
  new Worker(new URL('./merge-thread.ts', import.meta.url), { workerData });

/** What one thread makes of the parts that it gets; each takes the next when it is done with the one before. */
async function mergeShare(worker: Worker, parts: AsyncGenerator<MergePart>): Promise<Accumulator> {
  const ask = async (task: MergeTask): Promise<MergeReply> => {
    const reply = once(worker, 'message') as Promise<[MergeReply]>; // rejects with the thread's error, if it has one
    worker.postMessage(task, []); // copied: what the bytes lie in may belong to others
    return (await reply)[0];
  };
  for await (const part of taking(parts)) await ask(part);
  const share = await ask('merged');
  if (share === 'added') throw new Error('a merging thread has lost its place');
  return share;
}

/** A generator of which several take turns, and which none of them ends. */
async function* taking<Item>(items: AsyncGenerator<Item>): AsyncGenerator<Item> {
  for (let next = await items.next(); !next.done; next = await items.next()) yield next.value;
}
