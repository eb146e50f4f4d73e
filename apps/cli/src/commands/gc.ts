import { findGarbage } from '@filterscope/runs/collect-garbage';
import type { Context } from '../context.ts';
import { bytes, count } from '../format.ts';
import { openOutput } from '../open-output.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';

const KEYS_AT_A_TIME = 1000;

/** `filterscope gc`: deletes what no run needs. */
export async function gc(
  context: Context,
  options: { output: string; json: boolean; dryRun: boolean; olderThan: number },
): Promise<void> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, options.output);
  const totals = new Map<string, { reason: string; objects: number; sizeBytes: number }>();
  let keys: string[] = [];
  const flush = async () => {
    if (!options.dryRun) await output.delete(keys, signal);
    keys = [];
  };
  for await (const { key, sizeBytes, reason } of findGarbage(
    output,
    new Date(Date.now() - options.olderThan),
    signal,
  )) {
    const total = totals.get(reason) ?? { reason, objects: 0, sizeBytes: 0 };
    totals.set(reason, { reason, objects: total.objects + 1, sizeBytes: total.sizeBytes + sizeBytes });
    keys.push(key);
    if (keys.length === KEYS_AT_A_TIME) await flush();
  }
  await flush();
  if (options.json) return writeJsonArray(terminal, totals.values());
  if (totals.size === 0) return say(terminal, 'Nothing to delete.');
  const rows = [...totals.values()].map(({ reason, objects, sizeBytes }) => [
    reason,
    count(objects),
    bytes(sizeBytes),
  ]);
  const columns = [
    { title: 'what' },
    { title: 'objects', align: 'right' as const },
    { title: 'size', align: 'right' as const },
  ];
  await write(terminal.stdout, renderTable(columns, rows));
  say(terminal, options.dryRun ? 'A dry run: nothing was deleted.' : 'Deleted.');
}
