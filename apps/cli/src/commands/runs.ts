import { printable } from '@filterscope/errors/printable';
import { listRuns } from '@filterscope/results/find-run';
import type { Context } from '../context.ts';
import { count, shortRun } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';

/** `filterscope runs`: every run of an output, newest first. */
export async function runs(context: Context, options: { output: string; json: boolean }): Promise<void> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, options.output);
  const rows = await listRuns(output, signal);
  if (options.json) return writeJsonArray(terminal, rows);
  if (rows.length === 0) return say(terminal, `There is no run in ${output.url} yet.`);
  const columns = [
    { title: 'run' },
    { title: 'created' },
    { title: 'state' },
    { title: 'images', align: 'right' as const },
    { title: 'weights', gives: 'shorten' as const },
    { title: 'dataset', gives: 'shorten' as const },
  ];
  const cells = rows.map((row) => [
    shortRun(row.run),
    row.createdAt.slice(0, 19).replace('T', ' '),
    row.state,
    count(row.images),
    printable(row.weights),
    printable(row.dataset),
  ]);
  await write(terminal.stdout, renderTable(columns, cells));
}
