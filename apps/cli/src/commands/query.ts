import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { printable } from '@filterscope/errors/printable';
import type { Results } from '@filterscope/results/open-results';
import { openQuery, type Query, type SqlRow } from '@filterscope/results/query';
import type { SqlValue } from '@filterscope/results/sql-value';
import type { Context } from '../context.ts';
import type { QueryFormat } from '../file-formats.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';

const SHOWN = 500;

/** `filterscope query`: SQL over the tables of one run or of several. */
export async function query(
  { terminal, signal }: Context,
  runs: readonly Results[],
  sql: string,
  format: QueryFormat,
): Promise<void> {
  if (format === 'parquet' && terminal.stdout.isTTY) {
    throw new FilterscopeError('not-for-terminals', 'Parquet is not for a terminal: add "> FILE.parquet"');
  }
  await using answer = await openQuery(runs, sql, signal);
  if (format === 'json') return await writeJsonArray(terminal, answer.rows());
  if (format === 'table') return await showTable({ terminal }, answer);
  for await (const piece of answer[format]()) await write(terminal.stdout, piece);
}

async function showTable({ terminal }: Pick<Context, 'terminal'>, answer: Query): Promise<void> {
  const rows: SqlRow[] = [];
  let more = false;
  for await (const row of answer.rows()) {
    more = rows.length === SHOWN;
    if (more) break;
    rows.push(row);
  }
  const heads = answer.columns.map(({ name, numeric }) => ({
    title: printable(name),
    align: numeric ? ('right' as const) : ('left' as const),
  }));
  const cells = rows.map((row) => answer.columns.map(({ name }) => cell(row[name] ?? null)));
  await write(terminal.stdout, renderTable(heads, cells));
  if (more) say(terminal, `The first ${SHOWN} rows; --format csv gives all.`);
}

function cell(value: SqlValue): string {
  if (value === null) return '–';
  if (typeof value === 'number')
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}
