import { findRun } from '@filterscope/results/find-run';
import { readRunStatus, type RunStatus } from '@filterscope/runs/run-status';
import { openStore } from '@filterscope/storage/open-store';
import type { Context } from '../context.ts';
import { count, duration } from '../format.ts';
import { shareBar } from '../share-bar.ts';
import { syntheticNote } from '../synthetic-note.ts';
import { write, writeJson } from '../terminal.ts';

/** `filterscope status`: how far a run is. */
export async function status(
  { terminal, signal }: Context,
  run: string,
  options: { output: string; json: boolean },
): Promise<void> {
  await using output = openStore(options.output);
  const document = await findRun(output, run, signal);
  const answer = await readRunStatus(output, document.run, new Date(), signal);
  if (options.json) await writeJson(terminal, answer);
  else await write(terminal.stdout, describe(answer));
}

function describe(status: RunStatus): string {
  const done = status.ok + status.failed + status.skipped;
  const rate = status.imagesPerSecond === null ? '–' : `${status.imagesPerSecond.toFixed(1)} images/s`;
  const lines = [
    `run      ${status.run}`,
    `state    ${status.state}`,
    `         ${shareBar(done / status.images, 40)} ${count(done)} of ${count(status.images)} images`,
    `images   ${count(status.ok)} ok, ${count(status.failed)} failed, ${count(status.skipped)} skipped`,
    `chunks   ${count(status.committed)} of ${count(status.chunks)} committed`,
    `rate     ${rate}${status.etaSeconds === null ? '' : `, ${duration(status.etaSeconds)} left`}`,
    `engine   ${status.engine ?? '–'}`,
    ...(status.synthetic ? [syntheticNote()] : []),
  ];
  return lines.join('\n') + '\n';
}
