import { findRun } from '@filterscope/results/find-run';
import { setFailureLimit } from '@filterscope/runs/failure-limit';
import { readComplete } from '@filterscope/runs/index-document';
import { allowedFailures } from '../allowed-failures.ts';
import type { Context } from '../context.ts';
import { count, shortRun } from '../format.ts';
import { openOutput } from '../open-output.ts';
import type { FailureLimit } from '../parse-options.ts';
import { say, writeJson } from '../terminal.ts';
import { enqueueCrops, enqueueOpen, whatIsLeft } from './submit.ts';

/** `filterscope resume`: puts what is left of a run into the queue, from the store alone. */
export async function resume(
  context: Context,
  name: string,
  options: { output: string; json: boolean; maxFailures?: FailureLimit },
): Promise<void> {
  const { terminal, signal } = context;
  await using found = await openOutput(context, options.output);
  const document = await findRun(found, name, signal);
  await using output = await openOutput(context, options.output, document.access.kmsKeyId);
  const { run } = document;
  const complete = await readComplete(output, run, signal);
  if (options.maxFailures && !complete) {
    await setFailureLimit(output, run, allowedFailures(options.maxFailures, document), signal);
  }
  const chunks = complete ? 0 : await enqueueOpen(context, document, output);
  const wanted = complete && document.crops === 'all';
  const crops = wanted ? await enqueueCrops(context, document, complete, output) : 0;
  if (options.json) {
    return writeJson(terminal, { run, state: complete ? 'complete' : 'running', chunks, crops });
  }
  const about = { run, output: output.url, jobs: chunks + crops };
  if (complete) say(terminal, `Run ${shortRun(run)} is complete already; ${whatIsLeft(crops)}.`, about);
  else say(terminal, `Run ${shortRun(run)} goes on: ${count(chunks)} chunks are in the queue.`, about);
}
