import { setTimeout } from 'node:timers/promises';
import { findRun } from '@filterscope/results/find-run';
import { readReason } from '@filterscope/runs/run-mark';
import { openRunStatus, type RunStatus } from '@filterscope/runs/run-status';
import type { Context } from '../context.ts';
import { capitalised, earlyStop } from '../early-stop.ts';
import { EXIT } from '../exit-code.ts';
import { count, shortRun } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { showProgress } from '../progress.ts';
import { queueFacts } from '../queue-facts.ts';
import { say, write } from '../terminal.ts';

const LOOK_EVERY_MS = 1_000;
const ASK_QUEUE_EVERY = 10;

/** `filterscope watch`: how far a run is, live, until it ends. Stopping to watch stops nothing else. @returns the exit code. */
export async function watch(
  context: Context,
  name: string,
  options: { output: string; json: boolean },
): Promise<number> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, options.output);
  const document = await findRun(output, name, signal);
  const place = { output: output.url, run: document.run };
  const reader = openRunStatus(output, document);
  let status = await reader.read(new Date(), signal);
  const { run } = status;
  const ended = () => ['complete', 'cancelled', 'failed'].includes(status.state);
  {
    using progress = options.json
      ? undefined
      : showProgress(terminal, status.images, doneOf(status), document.reuse?.unchanged);
    let said = '';
    for (let look = 0; ; look++) {
      if (options.json) await write(terminal.stdout, `${JSON.stringify(status)}\n`);
      else progress?.update(doneOf(status));
      if (ended()) break;
      if (look % ASK_QUEUE_EVERY === ASK_QUEUE_EVERY - 1) {
        const trouble = (await queueFacts(context, place))?.trouble ?? '';
        if (trouble !== said && trouble !== '') say(terminal, trouble);
        said = trouble;
      }
      await setTimeout(LOOK_EVERY_MS, undefined, { signal }).catch((error: unknown) => {
        say(terminal, 'The run goes on.');
        throw error;
      });
      status = await reader.read(new Date(), signal);
    }
  }
  const { state, ok, failed, skipped } = status;
  const counts = `${count(ok)} ok, ${count(failed)} failed, ${count(skipped)} skipped`;
  say(terminal, `Run ${shortRun(run)} is ${state}: ${counts}.`);
  const stop = state === 'complete' ? earlyStop(document, status.stoppedAt) : undefined;
  if (stop !== undefined) say(terminal, `${capitalised(stop)}.`);
  const reason = state === 'failed' ? await readReason(output, run, 'failed', signal) : undefined;
  if (reason !== undefined) say(terminal, `${reason}.`);
  return failed > 0 ? EXIT.failedImages : EXIT.done;
}

const doneOf = ({ ok, failed, skipped, reused }: RunStatus) => ({
  done: ok + failed + skipped,
  failed,
  reused,
});
