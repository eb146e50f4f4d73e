import type { ClusterBy } from '@filterscope/results/cluster-sums';
import { filterRows, type FilterQuestion, type FilterRow } from '@filterscope/results/summaries';
import type { Results } from '@filterscope/results/open-results';
import { clusterNote } from '../cluster-note.ts';
import type { Context } from '../context.ts';
import { enoughImages } from '../enough-images.ts';
import { activation, count, percentWithInterval } from '../format.ts';
import { runHeading } from '../run-heading.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';

/** Rows that are shown to a person who has not asked for one layer. */
const SHOWN = 50;

/** `filterscope filters`: one row a filter. */
export async function filters(
  { terminal, signal }: Context,
  results: Results,
  options: FilterQuestion & { json: boolean; cluster?: ClusterBy },
): Promise<void> {
  const { json, cluster, ...question } = options;
  let rows: FilterRow[];
  let about: string;
  if (cluster === undefined) {
    rows = await filterRows(results, question, signal);
    about = enoughImages(rows, 'filters');
  } else {
    const { clusteredFilterRows } = await import('@filterscope/results/clustered-rows');
    const clustered = await clusteredFilterRows(results, question, cluster, signal);
    [rows, about] = [clustered, clusterNote(clustered, cluster)];
  }
  if (json) return writeJsonArray(terminal, rows);
  const shown = question.layer === undefined ? rows.slice(0, SHOWN) : rows;
  const note = `\n${about}\n`;
  await write(terminal.stdout, runHeading(results) + filtersTable(shown) + note);
  if (shown.length < rows.length) {
    say(terminal, `${count(rows.length - shown.length)} more filters: ask for one --layer, or for --json`);
  }
}

function filtersTable(rows: readonly FilterRow[]): string {
  return renderTable(
    [
      { title: 'filter' },
      { title: 'blank on', align: 'right' },
      { title: 'blank rate, 95 %', align: 'right' },
      { title: 'zero share, 95 %', align: 'right' },
      { title: 'mean max', align: 'right' },
      { title: 'largest', align: 'right' },
    ],
    rows.map((row) => [
      `${row.layer}/${row.filter}`,
      row.dead ? `${count(row.blank)} dead` : count(row.blank),
      percentWithInterval(row.blankRate, row.blankRateLow, row.blankRateHigh),
      percentWithInterval(row.zeroShare, row.zeroShareLow, row.zeroShareHigh),
      activation(row.meanMax),
      activation(row.maxActivation),
    ]),
  );
}
