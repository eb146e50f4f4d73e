import { findRun } from '@filterscope/results/find-run';
import type { ChunkJob } from '@filterscope/queue/job';
import { readCommits, type Commit } from '@filterscope/runs/commit';
import { chunksNeeded, readPrecision } from '@filterscope/runs/precision';
import { isRetried, lastRows } from '@filterscope/runs/retry-pass';
import type { RunDocument } from '@filterscope/runs/run-document';
import { unmarkRun } from '@filterscope/runs/run-mark';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Context } from '../context.ts';
import { count, shortRun } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { say, writeJson } from '../terminal.ts';
import { withQueue } from '../with-queue.ts';

/** `filterscope retry`: redoes the failed images of a run, all or those with certain codes, and nothing else. */
export async function retry(
  context: Context,
  name: string,
  options: { output: string; json: boolean; code?: string[] },
): Promise<void> {
  const { terminal, signal, environment } = context;
  await using output = await openOutput(context, options.output);
  const document = await findRun(output, name, signal);
  const { run } = document;
  const { images, jobs } = await failedChunks(document, output, options.code ?? null, signal);
  if (jobs.length > 0) {
    await unmarkRun(output, run, signal);
    const { maxBacklog } = environment;
    await withQueue(context, ({ queue }) =>
      queue.enqueue({ output: output.url, run }, jobs, { maxBacklog, signal }),
    );
  }
  if (options.json) return writeJson(terminal, { run, images, chunks: jobs.length });
  const about = { run, output: output.url, images, jobs: jobs.length };
  if (images === 0) {
    return say(terminal, `Run ${shortRun(run)} has no such failed image; nothing to do.`, about);
  }
  const what = `${count(images)} failed images in ${count(jobs.length)} chunks`;
  say(terminal, `${what} are in the queue again.`, about);
}

/** The chunks in which there is something to redo, each with the revision that does. */
async function failedChunks(
  document: RunDocument,
  output: ObjectStore,
  codes: readonly string[] | null,
  signal: AbortSignal,
): Promise<{ images: number; jobs: ChunkJob[] }> {
  const needed = chunksNeeded(document, await readPrecision(document, output, signal));
  const commits: Commit[] = [];
  for await (const commit of readCommits(output, document.run, signal)) {
    if (commit.chunk < needed) commits.push(commit);
  }
  const jobs: ChunkJob[] = [];
  let images = 0;
  for (const [chunk, passes] of Map.groupBy(commits, ({ chunk }) => chunk)) {
    if (passes.every(({ failed }) => failed === 0)) continue;
    const failed = (await lastRows(output, passes, signal)).filter((row) => isRetried(row, codes));
    images += failed.length;
    if (failed.length > 0) jobs.push({ chunk, revision: passes.at(-1)!.revision + 1, codes });
  }
  return { images, jobs };
}
