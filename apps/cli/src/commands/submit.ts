import type { ChunkJob, CropsJob, RunPlace, UnitJob } from '@filterscope/queue/job';
import { openCropParts } from '@filterscope/runs/crop-parts';
import { countFailures, enforceFailureLimit, setFailureLimit } from '@filterscope/runs/failure-limit';
import { readComplete, type IndexDocument } from '@filterscope/runs/index-document';
import { openChunks } from '@filterscope/runs/open-chunks';
import { readPrecision } from '@filterscope/runs/precision';
import { createRun, type RunPlan } from '@filterscope/runs/plan-run';
import { chunkCount, readRunDocument, type RunDocument } from '@filterscope/runs/run-document';
import { unmarkRun } from '@filterscope/runs/run-mark';
import { readRunStatus } from '@filterscope/runs/run-status';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { allowedFailures } from '../allowed-failures.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { count, shortRun } from '../format.ts';
import { announce, announceReuse, makePlan, reuseSearch, type PlanOptions } from '../make-plan.ts';
import { openDataset } from '../open-dataset.ts';
import { openOutput } from '../open-output.ts';
import { say, write, writeJson } from '../terminal.ts';
import { withQueue } from '../with-queue.ts';

export interface SubmitOptions extends PlanOptions {
  readonly json: boolean;
  readonly dryRun: boolean;
}

/** `filterscope submit`: plans a run and enqueues it; again, it adds what is missing. @returns the exit code. */
export async function submit(context: Context, datasetUrl: string, options: SubmitOptions): Promise<number> {
  const { terminal, signal } = context;
  await using dataset = await openDataset(context, datasetUrl, options.access);
  await using output = await openOutput(context, options.output, options.access.kmsKeyId);
  const plan = await makePlan(context, dataset, output, options);
  if (options.dryRun) {
    const { dryRun } = await import('../dry-run.ts');
    await dryRun(context, plan, dataset, output, options);
    return EXIT.done;
  }
  const { run } = plan;
  const complete = await readComplete(output, run, signal);
  if (complete) {
    const document = await readRunDocument(output, run, signal);
    const parts = options.crops === 'all' ? await enqueueCrops(context, document, complete, output) : 0;
    say(terminal, `Run ${shortRun(run)} is complete already; ${whatIsLeft(parts)}.`, { run, crops: parts });
  } else {
    announce(context, plan, output, options);
    const document = await create(context, plan, dataset, output, options);
    const jobs = await enqueueOpen(context, document, output);
    const chunks = chunkCount(document);
    say(terminal, `${count(jobs)} of ${count(chunks)} chunks are in the queue.`, {
      run,
      output: output.url,
      images: plan.images,
      chunks,
      jobs,
    });
    say(
      terminal,
      `"npx filterscope worker" carries them out, "npx filterscope watch ${shortRun(run)}" shows how far they are.`,
    );
  }
  await answer(context, output, run, options.json);
  return complete && complete.failed > 0 ? EXIT.failedImages : EXIT.done;
}

async function create(
  context: Context,
  plan: RunPlan,
  dataset: ObjectStore,
  output: ObjectStore,
  options: SubmitOptions,
): Promise<RunDocument> {
  const { signal, versions } = context;
  await withQueue(context, () => Promise.resolve()); // a queue that is not there is said before the work
  const reuse = reuseSearch(context, options);
  const { access, crops } = options;
  const place = { dataset: dataset.url, output, versions, access, crops, ...(reuse && { reuse }) };
  const { document } = await createRun(plan, place, signal);
  await setFailureLimit(output, document.run, allowedFailures(options.maxFailures, document), signal);
  announceReuse(context, document, options, false);
  return document;
}

/**
 * Puts every chunk that has no commit into the queue; where all have theirs, the run's completion.
 * @returns how many chunks
 * @throws FilterscopeError `too-many-failures` when more images have failed than may; nothing is enqueued then.
 */
export async function enqueueOpen(
  context: Context,
  document: RunDocument,
  output: ObjectStore,
): Promise<number> {
  const { signal } = context;
  const { run } = document;
  const place = { output: output.url, run };
  await enforceFailureLimit({ document, output, failures: countFailures(output, run) }, signal);
  await unmarkRun(output, run, signal);
  const open = await openChunks(document, output, await readPrecision(document, output, signal), signal);
  const jobs = open.map((chunk): ChunkJob => ({ chunk, revision: 0, codes: null }));
  await enqueue(context, place, jobs);
  return jobs.length;
}

/** Puts what is missing of a complete run's crops into the queue. @returns how many parts */
export async function enqueueCrops(
  context: Context,
  document: RunDocument,
  index: IndexDocument,
  output: ObjectStore,
): Promise<number> {
  const { run, generation } = index;
  const parts = await openCropParts(document, index, output, context.signal);
  const jobs = parts.map((part): CropsJob => ({ generation, part }));
  if (jobs.length > 0) await enqueue(context, { output: output.url, run }, jobs);
  return jobs.length;
}

/** @param crops parts of the run's crops that were put into the queue */
export function whatIsLeft(crops: number): string {
  if (crops === 0) return 'nothing to do';
  return `its crops are in the queue, ${count(crops)} ${crops === 1 ? 'job' : 'jobs'}`;
}

async function enqueue(context: Context, place: RunPlace, jobs: readonly UnitJob[]): Promise<void> {
  const { terminal, signal, environment } = context;
  await withQueue(context, async ({ queue }) => {
    let said = '';
    const onWait = (reason: string) => {
      if (reason !== said) say(terminal, `Waiting: ${reason} …`);
      said = reason;
    };
    await queue.enqueue(place, jobs, { maxBacklog: environment.maxBacklog, onWait, signal });
    if (jobs.length === 0) await queue.enqueueCompletion(place);
  });
}

async function answer({ terminal, signal }: Context, output: ObjectStore, run: string, json: boolean) {
  if (!json) return write(terminal.stdout, `${run}\n`);
  const { state, images, ok, failed, skipped, reused, duplicates, synthetic } = await readRunStatus(
    output,
    run,
    new Date(),
    signal,
  );
  const counts = { images, ok, failed, skipped, reused, duplicates };
  await writeJson(terminal, { run, state, ...counts, output: output.url, synthetic });
}
