import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { findRun } from '@filterscope/results/find-run';
import { markRun } from '@filterscope/runs/run-mark';
import { readRunStatus } from '@filterscope/runs/run-status';
import type { Context } from '../context.ts';
import { count, shortRun } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { say, writeJson } from '../terminal.ts';
import { withQueue } from '../with-queue.ts';

/** `filterscope cancel`: no further chunk of a run is begun; what is committed stays and can be asked. */
export async function cancel(
  context: Context,
  name: string,
  options: { output: string; json: boolean },
): Promise<void> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, options.output);
  const { run } = await findRun(output, name, signal);
  const before = await readRunStatus(output, run, new Date(), signal);
  if (before.state !== 'complete') {
    await markRun(output, run, 'cancelled', 'cancelled by a person');
    // The mark is what counts. Jobs that stay in the queue end as soon as a worker begins them.
    await withQueue(context, ({ queue }) => queue.forget({ output: output.url, run })).catch(unlessAway);
  }
  const { state, images, ok, failed, skipped } = await readRunStatus(output, run, new Date(), signal);
  if (options.json) return writeJson(terminal, { run, state, images, ok, failed, skipped });
  const done = ok + failed + skipped;
  const about = { run, output: output.url, state, images, done };
  if (state === 'complete') {
    return say(terminal, `Run ${shortRun(run)} is complete; there is nothing to cancel.`, about);
  }
  const how = `cancelled with ${count(done)} of ${count(images)} images done`;
  say(terminal, `Run ${shortRun(run)} is ${how}.`, about);
  say(terminal, `"npx filterscope resume ${shortRun(run)}" takes it up again.`);
}

function unlessAway(error: unknown): void {
  if (!(error instanceof FilterscopeError) || error.class !== 'transient') throw error;
}
