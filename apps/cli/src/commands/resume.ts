import { findRun } from '@filterscope/results/find-run';
import { readComplete } from '@filterscope/runs/index-document';
import type { Context } from '../context.ts';
import { count, shortRun } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { say, writeJson } from '../terminal.ts';
import { enqueueOpen } from './submit.ts';

/** `filterscope resume`: puts what is left of a run into the queue, from the store alone. */
export async function resume(
  context: Context,
  name: string,
  options: { output: string; json: boolean },
): Promise<void> {
  const { terminal, signal } = context;
  await using found = await openOutput(context, options.output);
  const document = await findRun(found, name, signal);
  await using output = await openOutput(context, options.output, document.access.kmsKeyId);
  const { run } = document;
  const complete = await readComplete(output, run, signal);
  const chunks = complete ? 0 : await enqueueOpen(context, document, output);
  if (options.json) return writeJson(terminal, { run, state: complete ? 'complete' : 'running', chunks });
  const about = { run, output: output.url, jobs: chunks };
  if (complete) say(terminal, `Run ${shortRun(run)} is complete already; nothing to do.`, about);
  else say(terminal, `Run ${shortRun(run)} goes on: ${count(chunks)} chunks are in the queue.`, about);
}
