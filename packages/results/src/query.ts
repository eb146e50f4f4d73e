import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBDecimalValue, DuckDBInstance, StatementType, type DuckDBConnection } from '@duckdb/node-api';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { STATISTICS } from '@filterscope/runs/readings-table';
import { measuredLayers } from '@filterscope/runs/run-document';
import { settleAll } from '@filterscope/runs/settle-all';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Results } from './open-results.ts';

export type SqlValue = string | number | boolean | null | SqlValue[] | { [name: string]: SqlValue };
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A read-only SQL session over a run's tables. */
export interface QuerySession extends AsyncDisposable {
  /** Rows of a query, streamed. @throws FilterscopeError `bad-query`. */
  rows(sql: string): AsyncGenerator<SqlRow>;
  /** Names of the columns of a query's result. @throws FilterscopeError `bad-query`. */
  columns(sql: string): Promise<string[]>;
  /** Writes a query's result to a file of the session's own. @returns its path, valid until the session ends. */
  writeFile(sql: string, format: 'csv' | 'parquet'): Promise<string>;
}

/**
 * Opens DuckDB with the tables `runs`, `layers`, `filters`, `images`, `failures` (images that are not ok) and, for queries that
 * name it, `readings` (one row an image and filter). One SELECT a query; no other file, no extension and no setting is
 * within its reach.
 */
export async function openQuery(results: Results, sql: string, signal?: AbortSignal): Promise<QuerySession> {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-query-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const close = async () => {
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { tables, output, index } = results;
    const local = (store: ObjectStore, keys: readonly string[]) => localFiles(store, keys, folder, signal);
    for (const table of ['runs', 'layers', 'filters', 'images'] as const) {
      const files = await local(tables, index.tables[table]);
      await connection.run(`CREATE TABLE ${table} AS SELECT * FROM ${parquet(files)}`);
    }
    await connection.run(`CREATE VIEW failures AS SELECT * FROM images WHERE status <> 'ok'`);
    let allowed = [join(folder, 'result')];
    if (/\breadings\b/i.test(sql) && index.tables.readings.length > 0) {
      const files = await local(output, index.tables.readings);
      allowed = [...allowed, ...files];
      await connection.run(`CREATE VIEW readings AS ${readingsQuery(results, files)}`);
    }
    await connection.run(`SET allowed_paths = [${allowed.map(quote).join(', ')}]`);
    await connection.run('SET enable_external_access = false');
    await connection.run('SET lock_configuration = true');
  } catch (error) {
    await close();
    throw error;
  }

  return {
    async *rows(sql) {
      const prepared = await prepareSelect(connection, sql);
      const result = await prepared.stream().catch(badQuery);
      const names = result.deduplicatedColumnNames();
      for (;;) {
        const chunk = await result.fetchChunk().catch(badQuery);
        if (!chunk || chunk.rowCount === 0) return;
        signal?.throwIfAborted();
        for (const row of chunk.getRows())
          yield Object.fromEntries(names.map((name, i) => [name, plain(row[i])]));
      }
    },
    async columns(sql) {
      const prepared = await prepareSelect(connection, sql);
      return Array.from({ length: prepared.columnCount }, (_, i) => prepared.columnName(i));
    },
    async writeFile(sql, format) {
      await prepareSelect(connection, sql);
      const path = join(folder, 'result');
      const options = format === 'csv' ? '(FORMAT csv, HEADER)' : '(FORMAT parquet, COMPRESSION zstd)';
      // The line break ends a comment that the query may end in.
      await connection
        .run(`COPY (${sql.replace(/[\s;]+$/, '')}\n) TO ${quote(path)} ${options}`)
        .catch(badQuery);
      return path;
    },
    [Symbol.asyncDispose]: close,
  };
}

async function prepareSelect(connection: DuckDBConnection, sql: string) {
  const statements = sql.trim() === '' ? null : await connection.extractStatements(sql).catch(badQuery);
  if (statements?.count !== 1) throw new FilterscopeError('bad-query', 'give one SQL query, in quotes');
  const prepared = await statements.prepare(0).catch(badQuery);
  const { statementType } = prepared;
  if (statementType === StatementType.SELECT) return prepared;
  throw new FilterscopeError('bad-query', 'only SELECT queries can be asked; the tables are read-only');
}

function badQuery(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  throw new FilterscopeError('bad-query', message.trim(), { cause: error });
}

const FETCHED_AT_A_TIME = 8;

/** Paths of objects for DuckDB, fetched into `folder` from a store that is not on this machine. */
export async function localFiles(
  store: ObjectStore,
  keys: readonly string[],
  folder: string,
  signal?: AbortSignal,
): Promise<string[]> {
  if (store.localPath) return keys.map((key) => store.localPath!(key));
  const fetch = async (key: string) => {
    const file = join(folder, key.replaceAll('/', '_'));
    await writeFile(file, (await store.get(key, undefined, signal)).bytes);
    return file;
  };
  const files: string[] = [];
  for (let i = 0; i < keys.length; i += FETCHED_AT_A_TIME) {
    files.push(...(await settleAll(keys.slice(i, i + FETCHED_AT_A_TIME).map(fetch))));
  }
  return files;
}

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`;
/** The rows of Parquet files, for a query. */
export const parquet = (files: readonly string[]) =>
  `read_parquet([${files.map(quote).join(', ')}], hive_partitioning = false)`;

/** One row an image and filter, unfolded as the query reads it. Lists unnested side by side advance together. */
function readingsQuery({ document }: Results, files: readonly string[]): string {
  const parts = measuredLayers(document).map(({ layer, filters }) => {
    const lists = STATISTICS.map((statistic) => `unnest(${layer}_${statistic}) AS ${statistic}`).join(', ');
    return `SELECT row, image, class, '${layer}' AS layer, unnest(range(${filters})) AS filter, ${lists} FROM ${parquet(files)}`;
  });
  return parts.join(' UNION ALL ');
}

/** DuckDB's values as JSON has them: 64-bit integers as numbers, times and the rest as text. */
function plain(value: unknown): SqlValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (typeof value === 'object' && value !== null) {
    if ('items' in value && Array.isArray(value.items)) return value.items.map(plain);
    if ('entries' in value && isRecord(value.entries)) {
      return Object.fromEntries(Object.entries(value.entries).map(([name, item]) => [name, plain(item)]));
    }
    if (value instanceof DuckDBDecimalValue) return value.toDouble();
    // DuckDB's dates, times, intervals, blobs and identifiers each have a toString of their own.
    // oxlint-disable-next-line typescript/no-base-to-string
    return String(value);
  }
  return null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
