import { PRECISION_REACHED } from '@filterscope/runs/image-row';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { STATISTICS } from '@filterscope/runs/readings-table';
import { measuredLayers } from '@filterscope/runs/run-document';
import type { QueryTable } from './check-select.ts';
import type { Results } from './open-results.ts';
import { localFiles, parquet } from './local-parquet.ts';

/**
 * Creates a view for each of `tables`, over Parquet files that are read when a query needs them.
 * @param folder where files go that are not on this machine
 * @returns paths of the files
 * @throws FilterscopeError `no-readings`
 */
export async function createViews(
  connection: DuckDBConnection,
  runs: readonly Results[],
  tables: ReadonlySet<QueryTable>,
  folder: string,
  signal?: AbortSignal,
): Promise<string[]> {
  const all: string[] = [];
  const create = async (
    table: Exclude<QueryTable, 'failures'>,
    select: (run: Results, from: string) => string,
  ) => {
    const parts: string[] = [];
    for (const [i, results] of runs.entries()) {
      const store = table === 'readings' ? results.output : results.tables;
      const keys = results.index.tables[table];
      if (keys.length === 0) continue;
      const files = await localFiles(store, keys, join(folder, String(i)), signal);
      all.push(...files);
      // A list of its own, since readings name it a layer and a million images' is megabytes long.
      const stored = `stored_${table}_${i}`;
      await connection.run(
        `CREATE VIEW ${stored} AS SELECT '${results.document.run}' AS run, * FROM ${parquet(files)}`,
      );
      parts.push(select(results, stored));
    }
    if (parts.length === 0) throw noRows(table);
    await connection.run(`CREATE VIEW ${table} AS ${parts.join(' UNION ALL BY NAME ')}`);
  };
  for (const table of ['runs', 'layers', 'filters'] as const)
    if (tables.has(table)) await create(table, whole);
  if (tables.has('images') || tables.has('failures')) await create('images', whole);
  if (tables.has('failures'))
    await connection.run(
      `CREATE VIEW failures AS FROM images WHERE status <> 'ok' AND code <> '${PRECISION_REACHED}'`,
    );
  if (tables.has('readings')) await create('readings', unfolded);
  return all;
}

const whole = (_: Results, stored: string) => `SELECT * FROM ${stored}`;

/**
 * One row an image and filter, unfolded as the query reads it. The product with the filters' numbers lets DuckDB leave out
 * lists, layers and filters that the query does not want, which it does not with lists unnested.
 */
function unfolded({ document }: Results, stored: string): string {
  const parts = measuredLayers(document).map(({ layer, filters }) => {
    const numbers = STATISTICS.map((statistic) => `${layer}_${statistic}[filter + 1] AS ${statistic}`);
    const columns = `run, row, image, class, '${layer}' AS layer, filter, ${numbers.join(', ')}`;
    return `SELECT ${columns} FROM ${stored}, (SELECT range::INTEGER AS filter FROM range(${filters}))`;
  });
  return parts.join(' UNION ALL ');
}

function noRows(table: string): FilterscopeError {
  return table === 'readings'
    ? new FilterscopeError(
        'no-readings',
        'there are no readings: no image was ok, or --readings none kept none',
      )
    : new FilterscopeError('broken-object', `the index names no file of the table ${table}`);
}
