import { parentPort, workerData } from 'node:worker_threads';
import type { Accumulator } from '@filterscope/statistics/accumulator';
import { addPart, emptyAccumulator, type MergePart } from './add-part.ts';
import type { RunDocument } from './run-document.ts';

// The body of a thread that merges its share of a run's parts. A part that holds no statistics of the run ends it.

/** A part, or the question for all of them together. */
export type MergeTask = MergePart | 'merged';
/** Answers to these, in order. */
export type MergeReply = 'added' | Accumulator;

const port = parentPort!;
const document = workerData as RunDocument;
const merged = emptyAccumulator(document);

port.on('message', (task: MergeTask) => {
  if (task === 'merged') return port.postMessage(merged satisfies MergeReply);
  addPart(document, merged, task);
  port.postMessage('added' satisfies MergeReply);
});
