import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { printable } from '@filterscope/errors/printable';
import type { Results } from '@filterscope/results/open-results';
import { openQuery, type QuerySession, type SqlRow, type SqlValue } from '@filterscope/results/query';
import type { Context } from '../context.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';

export const QUERY_FORMATS = ['table', 'json', 'csv', 'parquet'] as const;
export type QueryFormat = (typeof QUERY_FORMATS)[number];

const SHOWN = 500;

/** `filterscope query`: SQL over a run's tables. */
export async function query(
  { terminal, signal }: Context,
  results: Results,
  sql: string,
  format: QueryFormat,
): Promise<void> {
  await using session = await openQuery(results, sql, signal);
  if (format === 'json') return await writeJsonArray(terminal, session.rows(sql));
  if (format === 'table') return await showTable({ terminal }, session, sql);
  await pipeline(createReadStream(await session.writeFile(sql, format)), terminal.stdout, {
    end: false,
    signal,
  });
}

async function showTable(
  { terminal }: Pick<Context, 'terminal'>,
  session: QuerySession,
  sql: string,
): Promise<void> {
  const columns = await session.columns(sql);
  const rows: SqlRow[] = [];
  let more = false;
  for await (const row of session.rows(sql)) {
    more = rows.length === SHOWN;
    if (more) break;
    rows.push(row);
  }
  const numeric = (name: string) => rows.every((row) => row[name] === null || typeof row[name] === 'number');
  const heads = columns.map((title) => ({
    title,
    align: numeric(title) ? ('right' as const) : ('left' as const),
  }));
  const cells = rows.map((row) => columns.map((name) => cell(row[name] ?? null)));
  await write(terminal.stdout, renderTable(heads, cells));
  if (more) say(terminal, `The first ${SHOWN} rows; --format csv gives all.`);
}

function cell(value: SqlValue): string {
  if (value === null) return '–';
  if (typeof value === 'number')
    return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));
  return printable(typeof value === 'string' ? value : JSON.stringify(value));
}
