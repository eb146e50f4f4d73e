import { randomInt } from 'node:crypto';
import { chunkLine } from '@filterscope/runs/chunk-line';
import { failuresAdded, readCommits, type Commit } from '@filterscope/runs/commit';
import { tooManyFailures } from '@filterscope/runs/failure-limit';
import type { ImageRow } from '@filterscope/runs/image-row';
import type { PrecisionWatch } from '@filterscope/runs/precision';
import { runChunks } from '@filterscope/runs/run-chunks';
import { chunkCount, chunkRows, type RunDocument } from '@filterscope/runs/run-document';
import { markRun } from '@filterscope/runs/run-mark';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import type { Context } from './context.ts';
import { count } from './format.ts';
import { showProgress } from './progress.ts';
import { say } from './terminal.ts';

export interface Work {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly engine: Engine;
  /** Whether this process created the run. */
  readonly created: boolean;
  /** The run is given up when more images than this have failed; null for any number. */
  readonly maxFailures: number | null;
  readonly precision: PrecisionWatch;
}

/**
 * Carries out what is left of a run, showing progress.
 * @throws FilterscopeError `too-many-failures`, after marking the run as failed; what was committed stays.
 */
export async function workThrough(context: Context, work: Work): Promise<void> {
  const { terminal, signal } = context;
  const { document, dataset, output, engine, created, precision } = work;
  const limit = work.maxFailures ?? Infinity;
  const now = await doneSoFar(output, document.run, signal);
  if (now.done > 0)
    say(
      terminal,
      `Going on: ${count(now.done)} of ${count(document.manifest.rows)} images have their result.`,
    );

  const tooMany = new AbortController();
  const checkFailures = () => {
    if (now.failed > limit) tooMany.abort(tooManyFailures(now.failed, limit));
  };
  using progress = terminal.log
    ? undefined
    : showProgress(terminal, document.manifest.rows, now, document.reuse?.unchanged);
  const onImage = ({ status }: ImageRow, reused: boolean) => {
    now.done += 1;
    if (status === 'failed') now.failed += 1;
    if (reused) now.reused += 1;
    progress?.update(now);
    checkFailures();
  };
  const onCommitted = (chunk: number, mine: Commit | undefined) => {
    const outcome = mine ? 'committed' : 'already-committed';
    terminal.log?.info({ run: document.run, chunk, outcome, ...(mine && chunkLine(mine)) }, 'chunk');
    if (mine) return;
    const { from, to } = chunkRows(document, chunk); // somebody else's: its images are done without us
    now.done = Math.min(now.done + to - from, document.manifest.rows);
    progress?.update(now);
  };
  // Whoever joins a run that exists already begins somewhere else, so that two processes seldom do the same chunk.
  const firstChunk = created ? 0 : randomInt(chunkCount(document));
  checkFailures();
  try {
    const either = AbortSignal.any([signal, tooMany.signal]);
    const doing = { document, dataset, output, engine, firstChunk, precision };
    await runChunks({ ...doing, onImage, onCommitted, signal: either });
  } catch (error) {
    if (tooMany.signal.aborted)
      await markRun(output, document.run, 'failed', tooManyFailures(now.failed, limit).message);
    throw error;
  }
}

async function doneSoFar(output: ObjectStore, run: string, signal: AbortSignal) {
  const sum = { done: 0, failed: 0, reused: 0 };
  for await (const commit of readCommits(output, run, signal)) {
    if (commit.revision === 0) sum.done += commit.rows;
    sum.failed += failuresAdded(commit);
    sum.reused += commit.reused;
  }
  return sum;
}
