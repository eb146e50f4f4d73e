import { createReadStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DuckDBInstance,
  DuckDBTypeId,
  StatementType,
  type DuckDBConnection,
  type DuckDBPreparedStatement,
} from '@duckdb/node-api';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { badQuery, checkSelect } from './check-select.ts';
import { csvLine } from './csv-line.ts';
import type { Results } from './open-results.ts';
import { createViews } from './query-views.ts';
import { quoted } from './quoted.ts';
import { sqlText, sqlValue, type SqlValue } from './sql-value.ts';

export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A column of an answer. */
export interface SqlColumn {
  readonly name: string;
  readonly numeric: boolean;
}

/** A query, ready to be answered once. Each way of answering throws FilterscopeError `bad-query`. */
export interface Query extends AsyncDisposable {
  readonly columns: readonly SqlColumn[];
  /** Rows as JSON has them, as they come. */
  rows(): AsyncGenerator<SqlRow>;
  /** CSV (RFC 4180) with a head, some lines at a time, as they come. */
  csv(): AsyncGenerator<string>;
  /** A Parquet file in pieces; it is whole on this machine's disk before the first one comes. */
  parquet(): AsyncGenerator<Buffer>;
}

/**
 * What a query may take. DuckDB counts the columns, joins and sorts that it holds, not a single huge value that an
 * expression makes (`repeat('x', 3000000000)`): a server that answers strangers gives queries a process of their own.
 */
const LIMITS = { memory: '1GiB', spilled: '8GiB' };

/**
 * Makes a query over the tables of one run or several: {@link QUERY_TABLES}, each with a column `run`. They are read where
 * they lie, as the query needs them; of S3, tables that the query names are fetched first. One SELECT; no file, extension,
 * network or setting is within its reach.
 * @param signal interrupts a query in the middle of its work, too.
 * @throws FilterscopeError `bad-query`.
 */
export async function openQuery(runs: readonly Results[], sql: string, signal?: AbortSignal): Promise<Query> {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-query-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  signal?.addEventListener('abort', interrupt);
  const close = async () => {
    signal?.removeEventListener('abort', interrupt);
    connection.interrupt(); // whoever leaves early does not wait for the rest
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  };
  const failed = (error: unknown): never => {
    signal?.throwIfAborted();
    const message = error instanceof Error ? error.message : '';
    if (message.startsWith('Out of Memory Error')) {
      throw new FilterscopeError('bad-query', `the query needs more than ${LIMITS.memory} of memory`, {
        cause: error,
      });
    }
    return badQuery(error);
  };
  try {
    const tables = await checkSelect(connection, sql);
    const files = await createViews(connection, runs, tables, folder, signal);
    const result = join(folder, 'result.parquet');
    await lock(connection, [...files, result], join(folder, 'spilled'));
    const prepared = await connection.prepare(sql).catch(failed);
    if (prepared.statementType !== StatementType.SELECT) {
      throw new FilterscopeError('bad-query', 'only SELECT queries can be asked; the tables are read-only');
    }
    const columns = columnsOf(prepared);
    return {
      columns,
      async *rows() {
        const names = columns.map(({ name }) => name);
        for await (const chunk of chunks(prepared, failed, signal))
          for (const row of chunk) yield Object.fromEntries(names.map((name, i) => [name, sqlValue(row[i])]));
      },
      async *csv() {
        yield csvLine(columns.map(({ name }) => name));
        for await (const chunk of chunks(prepared, failed, signal))
          yield chunk.map((row) => csvLine(row.map(sqlText))).join('');
      },
      async *parquet() {
        // The line break ends a comment that the query may end in.
        const copied = `COPY (${sql.replace(/[\s;]+$/, '')}\n) TO ${quoted(result)} (FORMAT parquet, COMPRESSION zstd)`;
        await connection.run(copied).catch(failed);
        yield* createReadStream(result) as AsyncIterable<Buffer>;
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** From here on, nothing but the files of the tables can be read, and nothing written but the result. */
async function lock(connection: DuckDBConnection, files: readonly string[], spilled: string): Promise<void> {
  for (const setting of [
    `allowed_paths = [${files.map(quoted).join(', ')}]`,
    `memory_limit = '${LIMITS.memory}'`,
    `temp_directory = ${quoted(spilled)}`,
    `max_temp_directory_size = '${LIMITS.spilled}'`,
    'enable_external_access = false',
    'lock_configuration = true',
  ]) {
    await connection.run(`SET ${setting}`);
  }
}

const NUMERIC = new Set(
  'TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE DECIMAL'.split(
    ' ',
  ),
);

/** Of names that appear twice, the second gets `:1`, as DuckDB does it. */
function columnsOf(prepared: DuckDBPreparedStatement): SqlColumn[] {
  const taken = new Set<string>();
  return Array.from({ length: prepared.columnCount }, (_, i) => {
    const given = prepared.columnName(i);
    let name = given;
    for (let again = 1; taken.has(name); again++) name = `${given}:${again}`;
    taken.add(name);
    return { name, numeric: NUMERIC.has(DuckDBTypeId[prepared.columnTypeId(i)]) };
  });
}

/** Rows as DuckDB has them, at most 2,048 at a time. */
async function* chunks(
  prepared: DuckDBPreparedStatement,
  failed: (error: unknown) => never,
  signal?: AbortSignal,
) {
  const result = await prepared.stream().catch(failed);
  for (;;) {
    const chunk = await result.fetchChunk().catch(failed);
    signal?.throwIfAborted();
    if (!chunk || chunk.rowCount === 0) return;
    yield chunk.getRows();
  }
}
