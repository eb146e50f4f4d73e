import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { CLASS_SEPARATOR } from '@filterscope/runs/row-classes';
import type { ClusterSums } from '@filterscope/statistics/clusters';
import type { LayerShape } from '@filterscope/statistics/readings';
import { localFiles, parquet } from './local-parquet.ts';
import type { Results } from './open-results.ts';
import { quoted } from './quoted.ts';

/** Which images belong together: those of one class, in one folder, or whose keys begin with the same `prefix` characters. */
export type ClusterBy = 'class' | 'folder' | { readonly prefix: number };

/** What is known of a layer, or of a filter. */
export interface BlankAndZeros {
  readonly blank: ClusterSums;
  readonly zeros: ClusterSums;
}

export interface ClusterReader extends AsyncDisposable {
  readonly clusters: number;
  /** Over the images' shares of blank filters and zero shares. */
  ofLayer(shape: LayerShape): Promise<BlankAndZeros>;
  /** By filter. @throws FilterscopeError `no-readings` */
  ofFilters(shape: LayerShape): Promise<BlankAndZeros[]>;
}

/** A cell takes about 100 bytes. */
const CELLS = 2_000_000;
const MEMORY = '1GiB';

/**
 * Adds up a run's images by cluster. An image without a class, asked for clusters by class, is a cluster of its own.
 * @param options.only images of this class alone
 * @param options.cells of clusters × filters that are in memory at a time
 * @throws FilterscopeError `too-few-clusters`
 */
export async function openClusters(
  results: Results,
  by: ClusterBy,
  { only, cells: cellsAtATime = CELLS }: { only?: string | undefined; cells?: number } = {},
  signal?: AbortSignal,
): Promise<ClusterReader> {
  const { tables, output, index, document } = results;
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-clusters-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  signal?.addEventListener('abort', interrupt);
  const close = async () => {
    signal?.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  };
  const run = async (sql: string) => {
    try {
      return await connection.run(sql);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  };
  try {
    await run(`SET memory_limit = '${MEMORY}'`);
    await run(`SET temp_directory = ${quoted(join(folder, 'spilled'))}`);
    const images = parquet(await localFiles(tables, index.tables.images, join(folder, 'images'), signal));
    const counted = [
      `status = 'ok'`,
      ...(document.settings.countDuplicates === 'once' ? ['duplicateOf IS NULL'] : []),
      ...(only === undefined ? [] : [ofClass(only, document.labels !== null)]),
    ];
    await run(
      `CREATE TABLE members AS SELECT row, (dense_rank() OVER (ORDER BY ${clusterKey(by)}))::INTEGER AS cluster
       FROM ${images} WHERE ${counted.join(' AND ')}`,
    );
    const [[count]] = await numbers('SELECT count(DISTINCT cluster) FROM members', run);
    const clusters = Number(count);
    if (clusters < 2) {
      const message = `the images are ${clusters} cluster by ${described(by)}, and intervals between clusters take at least two; choose smaller clusters`;
      throw new FilterscopeError('too-few-clusters', message);
    }
    let readings: string | undefined;
    return {
      clusters,
      async ofLayer({ layer, filters, positions }) {
        const cells = `SELECT 0 AS item, cluster, blankFilters.${layer} AS blank, zeros.${layer} AS zeros FROM ${images} JOIN members USING (row)`;
        const [sums] = await summed(cells, run);
        return unpack(sums, filters, filters * positions);
      },
      async ofFilters({ layer, filters, positions }) {
        if (index.tables.readings.length === 0) {
          const message = 'this run kept no readings (--readings none), which clusters of filters need';
          throw new FilterscopeError('no-readings', message);
        }
        readings ??= parquet(
          await localFiles(output, index.tables.readings, join(folder, 'readings'), signal),
        );
        const atATime = Math.max(1, Math.floor(cellsAtATime / clusters));
        const all: BlankAndZeros[] = [];
        for (let from = 0; from < filters; from += atATime) {
          const to = Math.min(filters, from + atATime);
          const cells = `SELECT item, cluster, (${layer}_max[item + 1] = 0)::INTEGER AS blank, ${layer}_zeros[item + 1] AS zeros
            FROM (SELECT cluster, ${layer}_max, ${layer}_zeros FROM ${readings} JOIN members USING (row)), range(${from}, ${to}) AS items(item)`;
          for (const sums of await summed(cells, run)) all.push(unpack(sums, 1, positions));
        }
        return all;
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** In words: `prefix:6`. */
export const described = (by: ClusterBy): string => (typeof by === 'string' ? by : `prefix:${by.prefix}`);

/** A text that images of one cluster have in common. */
function clusterKey(by: ClusterBy): string {
  if (by === 'class') return `coalesce('class ' || class, 'row ' || row)`;
  return by === 'folder' ? `regexp_replace(image, '[^/]*$', '')` : `left(image, ${by.prefix})`;
}

const ofClass = (name: string, labels: boolean) =>
  labels
    ? `list_contains(string_split(class, ${quoted(CLASS_SEPARATOR)}), ${quoted(name)})`
    : `class = ${quoted(name)}`;

type Run = (sql: string) => ReturnType<DuckDBConnection['run']>;

const squares = (x: string) =>
  `sum(${x}::HUGEINT), sum(${x}2), sum(${x}::HUGEINT * ${x}), sum(${x}::HUGEINT * n)`;

/** Sums over the clusters of cells (item, cluster, blank, zeros), a row an item, in exact integers. */
async function summed(cells: string, run: Run): Promise<bigint[][]> {
  return numbers(
    `WITH clusters AS (
       SELECT item, cluster, count(*) AS n, sum(blank) AS blank, sum(blank::BIGINT * blank) AS blank2,
              sum(zeros) AS zeros, sum(zeros::BIGINT * zeros) AS zeros2
       FROM (${cells}) GROUP BY item, cluster
     )
     SELECT count(*), sum(n), sum(n::HUGEINT * n), ${squares('blank')}, ${squares('zeros')}
     FROM clusters GROUP BY item ORDER BY item`,
    run,
  );
}

async function numbers(sql: string, run: Run): Promise<bigint[][]> {
  const rows = await (await run(sql)).getRows();
  return rows.map((row) =>
    row.map((value) => {
      if (typeof value === 'bigint') return value;
      throw new RangeError('a sum over clusters is no integer');
    }),
  );
}

function unpack(
  [clusters, n, sizesSquared, ...rest]: readonly bigint[],
  blankUnit: number,
  zerosUnit: number,
): BlankAndZeros {
  const of = (
    [sum, sumOfSquares, sumsSquared, sumsBySizes]: readonly bigint[],
    unit: number,
  ): ClusterSums => ({
    clusters: Number(clusters),
    n: Number(n),
    sizesSquared,
    sum,
    sumOfSquares,
    sumsSquared,
    sumsBySizes,
    unit,
  });
  return { blank: of(rest.slice(0, 4), blankUnit), zeros: of(rest.slice(4), zerosUnit) };
}
