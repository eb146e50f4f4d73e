import { findRun } from '@filterscope/results/find-run';
import { readReason } from '@filterscope/runs/run-mark';
import type { RunDocument } from '@filterscope/runs/run-document';
import { readRunStatus, type RunStatus } from '@filterscope/runs/run-status';
import type { Context } from '../context.ts';
import { duplicatesNote } from '../duplicates-note.ts';
import { earlyStop } from '../early-stop.ts';
import { count, duration, percent } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { queueFacts, type QueueFacts } from '../queue-facts.ts';
import { shareBar } from '../share-bar.ts';
import { syntheticNote } from '../synthetic-note.ts';
import { renderTable } from '../table.ts';
import { write, writeJson } from '../terminal.ts';

/** `filterscope status`: how far a run is. */
export async function status(
  context: Context,
  run: string,
  options: { output: string; json: boolean },
): Promise<void> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, options.output);
  const document = await findRun(output, run, signal);
  const answer = await readRunStatus(output, document.run, new Date(), signal);
  const facts = await queueFacts(context, { output: output.url, run: document.run });
  if (options.json) await writeJson(terminal, { ...answer, ...(facts && { workers: facts.workers }) });
  else {
    const { run, state } = answer;
    const reason = state === 'failed' ? await readReason(output, run, 'failed', signal) : undefined;
    await write(
      terminal.stdout,
      describe(answer, document, reason) + (facts ? describeQueue(facts, run) : ''),
    );
  }
}

function describeQueue({ workers, trouble }: QueueFacts, run: string): string {
  const rows = workers.map(({ worker, engine, imagesPerSecond, busyShare, runs }) => [
    worker,
    engine ?? '–',
    imagesPerSecond.toFixed(1),
    percent(busyShare),
    runs.includes(run) ? 'this run' : runs.length > 0 ? 'another run' : 'waits',
  ]);
  const columns = [
    { title: 'worker', gives: 'shorten' as const },
    { title: 'engine' },
    { title: 'images/s', align: 'right' as const },
    { title: 'busy', align: 'right' as const },
    { title: 'at work on' },
  ];
  const table = rows.length > 0 ? `\n${renderTable(columns, rows)}` : '';
  return trouble === '' ? table : `${table}\n${trouble}\n`;
}

/** @param reason why it was given up */
function describe(status: RunStatus, document: RunDocument, reason: string | undefined): string {
  const { settings } = document;
  const ended = status.state === 'complete' || status.stoppedAt !== null;
  const stop = ended ? earlyStop(document, status.stoppedAt) : undefined;
  const done = status.ok + status.failed + status.skipped;
  const rate = status.imagesPerSecond === null ? '–' : `${status.imagesPerSecond.toFixed(1)} images/s`;
  const taken = status.reused > 0 ? ` (${count(status.reused)} of them taken from earlier runs)` : '';
  const lines = [
    `run      ${status.run}`,
    `state    ${status.state}${reason === undefined ? '' : `: ${reason}`}`,
    `         ${shareBar(done / status.images, 40)} ${count(done)} of ${count(status.images)} images`,
    `images   ${count(status.ok)} ok${taken}, ${count(status.failed)} failed, ${count(status.skipped)} skipped`,
    ...(stop === undefined ? [] : [`         ${stop}`]),
    `chunks   ${count(status.committed)} of ${count(status.chunks)} committed`,
    `rate     ${rate}${status.etaSeconds === null ? '' : `, ${duration(status.etaSeconds)} left`}`,
    ...(status.crops ? [`crops    ${count(status.crops.done)} of ${count(status.crops.total)} parts`] : []),
    `engine   ${status.engine ?? '–'}`,
    ...(status.duplicates ? [duplicatesNote(status.duplicates, settings)] : []),
    ...(status.synthetic ? [syntheticNote()] : []),
  ];
  return lines.join('\n') + '\n';
}
