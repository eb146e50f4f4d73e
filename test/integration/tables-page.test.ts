import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { QUERY_TABLES } from '@filterscope/results/check-select';
import { openResults, type Results } from '@filterscope/results/open-results';
import { openQuery } from '@filterscope/results/query';
import { imageColumns } from '@filterscope/runs/image-row';
import { encodeParquet, type Columns } from '@filterscope/runs/parquet';
import { encodeReadings } from '@filterscope/runs/readings-table';
import { FILTER_COLUMNS, LAYER_COLUMNS, RUN_COLUMNS } from '@filterscope/runs/table-columns';
import { filterCount } from '@filterscope/statistics/readings';
import { LAYERS } from '@filterscope/vgg16/layers';
import { codeBlocks, section, tableRows } from '../support/documented.ts';
import { readStoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { toldRun } from '../support/told-run.ts';

// docs/tables.md and docs/athena.sql say what the tables are: held against the tables of a real run, and every snippet that can be run is.

const newFolder = temporaryFolders();
let root: string;
let results: Results;
let connection: DuckDBConnection;

beforeAll(async () => {
  root = await newFolder();
  const { output, document } = await toldRun(await newFolder(), join(root, 'filterscope-out'));
  results = await openResults(output, document);
  const instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  return () => {
    connection.closeSync();
    instance.closeSync();
  };
});

async function rowsOf(sql: string): Promise<Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

/** Name and type of each column. */
async function columnsOf(from: string): Promise<[string, string][]> {
  const rows = await rowsOf(`DESCRIBE SELECT * FROM ${from}`);
  return rows.map((row) => [String(row['column_name']), String(row['column_type'])]);
}

describe('docs/tables.md', () => {
  test.each(QUERY_TABLES.filter((table) => table !== 'failures'))(
    'names every column of %s, in order, with its type',
    async (table) => {
      await using query = await openQuery([results], `DESCRIBE ${table}`);
      const real = (await Array.fromAsync(query.rows())).map(({ column_name: name, column_type: type }) => [
        name,
        (type as string).replace(/\(.*\)$/, ''),
      ]);
      const rows = tableRows(section('tables.md', `\`${table}\``));
      expect(rows.map(([name, type]) => [name, type])).toEqual(real);
      // Each says what it is, but for the few whose name and table say it.
      const unsaid = rows.filter(([, , meaning]) => meaning === '').map(([name]) => name);
      expect(['run', 'layer', 'image', 'class', 'height']).toEqual(expect.arrayContaining(unsaid));
    },
  );

  test('says which version the columns are of', async () => {
    const [key] = results.index.tables.layers;
    const file = `'${results.output.localPath!(key)}'`;
    const [{ value }] = await rowsOf(
      `SELECT decode(value) AS value FROM parquet_kv_metadata(${file}) WHERE decode(key) = 'filterscope.schema'`,
    );
    expect(section('tables.md', '# Tables')).toContain(
      `the version of these columns, now \`${String(value)}\``,
    );
  });

  test('the files have the columns of readings that it says, and no column run', async () => {
    const [key] = results.index.tables.readings;
    const names = (
      await columnsOf(`read_parquet('${results.output.localPath!(key)}', hive_partitioning = false)`)
    ).map(([name, type]) => `${name} ${type}`);
    const layers = ['block1_conv1', 'block1_conv2'];
    const lists = tableRows(section('tables.md', '`readings`').split('In the files,')[1]).slice(1);
    expect(lists).toHaveLength(4);
    const documented = layers.flatMap((layer) =>
      lists.map(([name, type]) => `${name.replace('<layer>', layer)} ${type}`),
    );
    expect(names).toEqual(['row INTEGER', 'image VARCHAR', 'class VARCHAR', ...documented]);
    for (const table of ['runs', 'layers', 'filters', 'images'] as const) {
      const file = results.output.localPath!(results.index.tables[table][0]);
      expect(
        (await columnsOf(`read_parquet('${file}', hive_partitioning = false)`)).map(([name]) => name),
      ).not.toContain('run');
    }
  });

  test("DuckDB's snippets give what the run has", async () => {
    const [layers, filter] = codeBlocks(section('tables.md', 'DuckDB'), 'sql').map((sql) =>
      sql.replaceAll("'filterscope-out", `'${root}/filterscope-out`),
    );
    const { run } = results.document;
    const stored = await readStoredRun(results.output, run);
    expect(await rowsOf(layers)).toEqual(
      stored.layers.map((row) => ({
        run,
        layer: (row as { layer: string }).layer,
        zeroShare: (row as { zeroShare: number }).zeroShare,
      })),
    );
    const maxima = stored.readings.map((row) => ({
      run,
      image: row['image'],
      max: (row['block1_conv1_max'] as Float32Array)[17],
    }));
    expect(await rowsOf(filter)).toEqual(maxima.toSorted((a, b) => b.max - a.max).slice(0, 10));
  });

  test('each folder is read whole as a partitioned table', async () => {
    for (const table of ['runs', 'layers', 'filters', 'images', 'readings']) {
      const rows = await rowsOf(
        `SELECT DISTINCT run FROM '${root}/filterscope-out/index/${table}/run=*/*.parquet'`,
      );
      expect(rows).toEqual([{ run: results.document.run }]);
    }
  });

  const pandas = spawnSync('python3', ['-c', 'import pandas, pyarrow']).status === 0;
  test.skipIf(!pandas)("pandas' snippet gives what the run has", async () => {
    const [snippet] = codeBlocks(section('tables.md', 'pandas'), 'python');
    const all = ['runs', 'layers', 'filters', 'images', 'readings'].map(
      (table) => `print(len(pd.read_parquet("filterscope-out/index/${table}")))`,
    );
    const script = join(root, 'snippet.py');
    await writeFile(script, [snippet.replace('axis=0)', 'axis=0).tolist()'), ...all].join('\n'));
    const { stdout, stderr } = spawnSync('python3', [script], { cwd: root, encoding: 'utf8' });
    expect(stderr).toBe('');
    const [, ids, , rates] = /^run\n(\w+)\s+([\d.]+)\nName.*\n\[(.*)\]/m.exec(stdout) ?? [];
    expect(ids).toBe(results.document.run);
    const stored = await readStoredRun(results.output, results.document.run);
    const filters = stored.filters.slice(0, 64) as { blankRate: number }[];
    expect(rates.split(', ').map(Number)).toEqual(filters.map(({ blankRate }) => blankRate));
    expect(stdout.trim().split('\n').slice(-5)).toEqual(['1', '2', '128', '25', '24']);
  });
});

describe('docs/athena.sql', () => {
  const ddl = readFileSync(new URL('../../docs/athena.sql', import.meta.url), 'utf8');

  test.each(['runs', 'layers', 'filters', 'images', 'readings'])(
    "the columns of %s are the files', in their types",
    async (table) => {
      const [, body, rest] =
        new RegExp(`CREATE EXTERNAL TABLE \`${table}\` \\(\n(.*?)\n\\)\n(.*?);`, 's').exec(ddl) ?? [];
      expect(rest).toBe(
        `PARTITIONED BY (\`run\` string)\nSTORED AS PARQUET\nLOCATION 's3://bucket/out/index/${table}/'`,
      );
      const declared = body.split(/,\n/).map((line) => /^ {2}`(\w+)` (\S+)$/.exec(line)?.slice(1));
      const file = join(root, `${table}.parquet`);
      await writeFile(file, await emptyTable(table));
      const real = await columnsOf(`read_parquet('${file}', hive_partitioning = false)`);
      expect(declared).toEqual(real.map(([name, type]) => [name.toLowerCase(), hiveType(type)]));
    },
  );
});

/** A file of a run of the whole network, written as completion writes it. */
async function emptyTable(table: string): Promise<Uint8Array> {
  const names = LAYERS.map(({ layer }) => layer);
  const columns: Record<string, Columns> = {
    runs: RUN_COLUMNS,
    layers: LAYER_COLUMNS,
    filters: FILTER_COLUMNS,
    images: imageColumns(names),
  };
  if (table !== 'readings') return encodeParquet(columns[table], [{}]);
  const count = filterCount(LAYERS);
  const readings = {
    zeros: new Uint16Array(count),
    max: new Float32Array(count),
    mean: new Float32Array(count),
    position: new Uint16Array(count),
  };
  return encodeReadings(LAYERS, [{ row: 0, image: 'a', class: null, readings }]);
}

/** What Hive calls a type of DuckDB. It has no unsigned integers: those of at most 32 bits that end below 2^31 are `int` to it. */
function hiveType(type: string): string {
  if (type.endsWith('[]')) return `array<${hiveType(type.slice(0, -2))}>`;
  const [, fields] = /^STRUCT\((.*)\)$/.exec(type) ?? [];
  if (fields !== undefined) {
    const each = fields.split(', ').map((field) => field.split(' '));
    return `struct<${each.map(([name, of]) => `${name}:${hiveType(of)}`).join(',')}>`;
  }
  const known: Record<string, string> = {
    VARCHAR: 'string',
    BOOLEAN: 'boolean',
    INTEGER: 'int',
    BIGINT: 'bigint',
    FLOAT: 'float',
    DOUBLE: 'double',
    USMALLINT: 'int',
    UINTEGER: 'int',
  };
  return known[type];
}

test('a count of zeros of an image, unsigned in the file, ends below 2^31', () => {
  const largest = Math.max(...LAYERS.map(({ filters, positions }) => filters * positions));
  expect(largest).toBe(3_211_264);
  expect(section('tables.md', 'Athena')).toContain('= 3,211,264');
});
