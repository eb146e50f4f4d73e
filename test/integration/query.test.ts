import { existsSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeParquet } from '@filterscope/runs/parquet';
import { findRun } from '@filterscope/results/find-run';
import { openResults } from '@filterscope/results/open-results';
import { openQuery } from '@filterscope/results/query';
import { openFolderStore } from '@filterscope/storage/folder-store';
import { askJson, filterscope, startFilterscope } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { readStoredRun, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const STOLEN = '/tmp/filterscope-stolen.csv';

const newFolder = temporaryFolders();
let output: string;
let cwd: string;
let stored: StoredRun;
beforeAll(async () => {
  const photos = await newFolder();
  await writePhotos(photos, 6);
  await writeDated(join(photos, 'dog/broken.jpg'), 'no picture');
  output = await newFolder();
  cwd = await newFolder();
  const weights = await writeSmallWeights(await newFolder());
  const settings = ['--weights', weights, '--layers', 'block1_conv1', '--grids', 'none'];
  const { run } = await askJson<{ run: string }>(['analyze', photos, '-o', output, ...settings], 3);
  stored = await readStoredRun(output, run);
});

/** Asked in this process, all of the answer. */
async function answered(sql: string, way: 'rows' | 'csv' | 'parquet' = 'rows'): Promise<unknown[]> {
  await using store = openFolderStore(output);
  await using results = await openResults(store, await findRun(store, 'latest'));
  await using session = await openQuery([results], sql);
  return await Array.fromAsync<unknown>(session[way]());
}

const query = (sql: string, ...more: string[]) =>
  filterscope(['query', 'latest', sql, '-o', output, ...more], { cwd });

const rows = async (sql: string) => JSON.parse((await query(sql, '--json')).stdout) as unknown;

describe.concurrent('answers in every format', () => {
  const sql = 'SELECT image, status, width FROM images ORDER BY image LIMIT 2';

  test('json', async () => {
    const { stdout } = await query(sql, '--format', 'json');
    expect(JSON.parse(stdout)).toEqual([
      { image: 'cat/photo 0.jpg', status: 'ok', width: 96 },
      { image: 'cat/photo 3.jpg', status: 'ok', width: 96 },
    ]);
    expect((await query(sql, '--json')).stdout).toBe(stdout);
  });

  test('table', async () => {
    const { stdout, code } = await query(sql);
    expect(stdout).toBe(
      'image            status  width\ncat/photo 0.jpg  ok         96\ncat/photo 3.jpg  ok         96\n',
    );
    expect(code).toBe(0);
  });

  test('csv', async () => {
    const { stdout } = await query(sql, '--format', 'csv');
    expect(stdout).toBe('image,status,width\ncat/photo 0.jpg,ok,96\ncat/photo 3.jpg,ok,96\n');
  });

  test('parquet', async () => {
    const { stdoutBytes } = await query(`${sql} -- a comment at the end;`, '--format', 'parquet');
    expect(decodeParquet(stdoutBytes)).toEqual([
      { image: 'cat/photo 0.jpg', status: 'ok', width: 96 },
      { image: 'cat/photo 3.jpg', status: 'ok', width: 96 },
    ]);
  });

  test('more rows than a screen holds: a table is cut and says so, csv is not', async () => {
    const many = 'SELECT r.filter FROM readings r, range(3)';
    const table = await query(many);
    expect(table.stdout.split('\n')).toHaveLength(502);
    expect(table.stderr).toContain('The first 500 rows');
    const csv = await query(many, '--format', 'csv');
    expect(csv.stdout.split('\n')).toHaveLength(6 * 64 * 3 + 2);
  });

  test('no rows', async () => {
    const none = 'SELECT image FROM images WHERE false';
    expect(JSON.parse((await query(none, '--json')).stdout)).toEqual([]);
    expect((await query(none)).stdout).toBe('image\n');
  });
});

test('every table, and the readings agree with the sums', async () => {
  expect(await rows('SELECT images, ok, failed, skipped, synthetic FROM runs')).toEqual([
    { images: 7, ok: 6, failed: 1, skipped: 0, synthetic: true },
  ]);
  expect(await rows('SELECT * EXCLUDE (run) FROM layers')).toEqual(stored.layers);
  expect(await rows('SELECT * EXCLUDE (run) FROM filters')).toEqual(stored.filters);
  expect(await rows('SELECT DISTINCT run FROM readings')).toEqual(await rows('SELECT run FROM runs'));
  expect(await rows('SELECT image, code FROM failures')).toEqual([
    { image: 'dog/broken.jpg', code: 'not-an-image' },
  ]);
  const shares = `SELECT filter, avg(zeros) / 50176 AS share, count(*) FILTER (zeros = 50176) AS blank
    FROM readings WHERE layer = 'block1_conv1' GROUP BY filter`;
  expect(
    await rows(`SELECT count(*) AS filters, max(abs(s.share - f.zeroShare)) < 1e-12 AS agree
      FROM (${shares}) s JOIN filters f USING (filter) WHERE s.blank = f.blank`),
  ).toEqual([{ filters: 64, agree: true }]);
});

const HOSTILE = [
  // statements that are no SELECT
  "COPY layers TO 'stolen.csv'",
  `COPY (SELECT 1) TO '${STOLEN}'`,
  "ATTACH 'other.db'",
  'DETACH memory',
  'INSTALL httpfs',
  'LOAD httpfs',
  "PRAGMA memory_limit = '1GB'",
  "PRAGMA enable_profiling = 'json'",
  "PRAGMA add_parquet_key('k', '0123456789112345')",
  "SET memory_limit = '1GB'",
  'SET enable_external_access = true',
  'SET VARIABLE x = 1',
  'RESET lock_configuration',
  "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
  'CREATE TABLE mine AS SELECT 1',
  'CREATE VIEW mine AS SELECT 1',
  "CREATE MACRO mine() AS TABLE SELECT * FROM read_text('/etc/passwd')",
  'INSERT INTO layers SELECT * FROM layers',
  'DELETE FROM layers',
  'DROP VIEW layers',
  'ALTER VIEW layers RENAME TO mine',
  'EXPLAIN ANALYZE DELETE FROM layers',
  'EXPLAIN SELECT 1',
  "EXPORT DATABASE 'stolen'",
  "IMPORT DATABASE 'stolen'",
  'CALL pragma_version()',
  "CALL enable_logging(storage := 'file', storage_path := 'stolen')",
  'CHECKPOINT',
  'BEGIN',
  'USE memory.information_schema',
  'PREPARE p AS SELECT 1',
  'VACUUM',
  'PIVOT images ON status', // makes a type
  // files and the network
  "SELECT * FROM read_csv('/etc/passwd')",
  "SELECT * FROM READ_TEXT('/etc/passwd')",
  "SELECT * FROM read_blob('/etc/passwd')",
  "SELECT * FROM read_json('/etc/passwd')",
  "SELECT * FROM read_ndjson_objects('/etc/passwd')",
  "SELECT * FROM read_parquet('/etc/passwd')",
  "SELECT * FROM parquet_metadata('/etc/passwd')",
  "SELECT * FROM system.main.read_text('/etc/passwd')",
  "SELECT * FROM read_duckdb('other.db')",
  "SELECT * FROM sniff_csv('/etc/passwd')",
  "SELECT * FROM glob('/etc/*')",
  "SELECT * FROM '/etc/passwd'",
  `SELECT * FROM "/etc/passwd"`,
  `WITH "/etc/passwd" AS (SELECT 1) SELECT * FROM main."/etc/passwd"`,
  "SELECT * FROM 'https://127.0.0.1:9/x.parquet'",
  "SELECT * FROM 's3://bucket/x.parquet'",
  "SELECT (SELECT content FROM read_text('/etc/passwd'))",
  "SELECT 1 WHERE EXISTS (FROM read_text('/etc/passwd'))",
  "WITH x AS (FROM read_text('/etc/passwd')) SELECT 1",
  "SELECT 1 UNION ALL SELECT size FROM read_text('/etc/passwd')",
  "SELECT 1 FROM layers ORDER BY (SELECT size FROM read_text('/etc/passwd'))",
  "SELECT [(SELECT size FROM read_text('/etc/passwd'))]",
  "SELECT 1 FROM layers JOIN read_text('/etc/passwd') ON true",
  "SELECT 1 FROM layers, LATERAL (FROM read_text('/etc/passwd'))",
  // SELECTs that would change the session or tell of it
  "SELECT * FROM enable_logging(storage := 'file', storage_path := 'stolen')",
  'SELECT * FROM disable_logging()',
  "SELECT * FROM enable_profiling(format := 'json', save_location := 'stolen')",
  'SELECT * FROM checkpoint()',
  'SELECT * FROM enable_peg_parser()',
  'SELECT * FROM arrow_scan(0, 0, 0)',
  "SELECT write_log('x')",
  "SELECT getenv('HOME')",
  "SELECT current_setting('allowed_paths')",
  'SELECT * FROM duckdb_settings()',
  'SELECT * FROM duckdb_settings',
  'SELECT * FROM duckdb_secrets()',
  "SELECT * FROM which_secret('s3://a', 's3')",
  'SELECT * FROM duckdb_extensions()',
  'SELECT * FROM duckdb_logs',
  'SELECT * FROM information_schema.tables',
  'SELECT * FROM stored_layers_0',
  // statements within statements
  "SELECT * FROM query('FROM layers')",
  "SELECT * FROM query('COPY layers TO ''stolen.csv''')",
  "SELECT * FROM query_table('layers')",
  "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
  'SELECT 1; SELECT 2',
  "SELECT 1; COPY layers TO 'stolen.csv'",
  "SELECT 1) TO 'stolen.csv' (FORMAT csv); --",
  // no query
  '',
  ';',
  '/* nothing */',
  'SELEC 1',
  'SELECT nonsense FROM layers',
  'SELECT $1',
];

describe('refuses, with no effect', () => {
  test.each(HOSTILE)('%s', async (sql) => {
    for (const way of ['rows', 'csv', 'parquet'] as const)
      await expect(answered(sql, way)).rejects.toMatchObject({ code: 'bad-query' });
    expect(existsSync('stolen.csv') || existsSync('stolen') || existsSync(STOLEN)).toBe(false);
    expect(await answered('SELECT count(*) AS layers FROM layers')).toEqual([{ layers: 1 }]);
  });

  test('names that look hostile and are not', async () => {
    for (const sql of [
      "SELECT 'COPY layers TO x' AS getenv",
      'WITH read_csv AS (SELECT 1 AS a) SELECT a FROM read_csv',
      'SELECT count(*) FROM range(3), generate_series(1, 2), unnest([1])',
      'DESCRIBE layers',
      'SUMMARIZE layers',
      "SELECT * FROM images PIVOT (count(*) FOR status IN ('ok', 'failed'))",
      'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 3) FROM t',
      "SELECT COLUMNS(c -> c LIKE 'zero%') FROM main.layers",
    ])
      expect((await answered(sql)).length, sql).toBeGreaterThan(0);
  });

  test('what a check of names lets through meets a second wall', async () => {
    const secret = join(output, 'secret.csv');
    await writeFile(secret, 'a\n1\n');
    const inScope = `WITH "${secret}" AS (SELECT 1 AS a) FROM "${secret}"`;
    expect(await answered(inScope)).toEqual([{ a: 1 }]);
    const outOfScope = `SELECT (${inScope}) AS b FROM "${secret}"`;
    await expect(answered(outOfScope)).rejects.toMatchObject({ code: 'bad-query' });
  });

  test('what needs more memory than a query may take', async () => {
    const bomb = answered('SELECT list(a.range * b.range) FROM range(100000) a, range(100000) b');
    await expect(bomb).rejects.toMatchObject({
      code: 'bad-query',
      message: 'the query needs more than 1GiB of memory',
    });
  });

  test('in words for the person who asked, with exit code 2', async () => {
    for (const [sql, format] of [
      ["COPY layers TO 'stolen.csv'", 'json'],
      ["SELECT * FROM read_csv('/etc/passwd')", 'csv'],
      ['SELECT nonsense FROM layers', 'table'],
      ['', 'parquet'],
    ]) {
      const { code, stdout, stderr } = await query(sql, '--format', format);
      expect(code, stderr).toBe(2);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^filterscope: \S/);
      expect(stderr).not.toMatch(/at file:|should not have happened/);
    }
    expect(await readdir(cwd)).toEqual([]);
  });
});

test('Ctrl-C ends a query that would take years, in whatever format, and leaves nothing behind', async () => {
  const TMPDIR = await newFolder();
  const years = 'SELECT count(*) FROM range(1000000000) a, range(1000000000) b';
  for (const format of ['table', 'csv', 'parquet']) {
    const args = ['query', 'latest', years, '-o', output, '--format', format];
    const { child, finished } = startFilterscope(args, { cwd, environment: { TMPDIR } });
    while ((await readdir(TMPDIR)).length === 0) await setTimeout(20);
    await setTimeout(200); // into the query itself
    const interrupted = performance.now();
    child.kill('SIGINT');
    expect((await finished).code).toBe(130);
    expect(performance.now() - interrupted).toBeLessThan(5000);
    expect(await readdir(TMPDIR)).toEqual([]);
  }
});

test('whoever has read enough ends the query', async () => {
  await using store = openFolderStore(output);
  await using results = await openResults(store, await findRun(store, 'latest'));
  await using endless = await openQuery([results], 'SELECT * FROM range(1000000000000)');
  for await (const lines of endless.csv()) if (lines.includes('\n5000\n')) break;
});

describe('over all runs', () => {
  let all: string;
  let shallow: StoredRun;
  let deep: StoredRun;
  let ids: string[];
  beforeAll(async () => {
    const photos = await newFolder();
    await writePhotos(photos, 3);
    all = await newFolder();
    const weights = await writeSmallWeights(await newFolder());
    const analyze = async (...settings: string[]) =>
      (
        await askJson<{ run: string }>([
          'analyze',
          photos,
          '-o',
          all,
          '--weights',
          weights,
          '--grids',
          'none',
          ...settings,
        ])
      ).run;
    ids = [
      await analyze('--layers', 'block1_conv1'),
      await analyze('--layers', '..block1_conv2', '--fit', 'stretch'),
    ];
    [shallow, deep] = [await readStoredRun(all, ids[0]), await readStoredRun(all, ids[1])];
  });
  const ask = async (sql: string) => {
    const { code, stdout, stderr } = await filterscope(['query', 'all', sql, '-o', all, '--json'], { cwd });
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as unknown;
  };

  test('each table has the rows of every run, with the run beside them', async () => {
    expect(await ask('SELECT run, fit FROM runs ORDER BY fit')).toEqual([
      { run: ids[0], fit: 'crop' },
      { run: ids[1], fit: 'stretch' },
    ]);
    expect(await ask(`SELECT * FROM layers WHERE run = '${ids[1]}'`)).toEqual(
      deep.layers.map((row) => ({ run: ids[1], ...(row as object) })),
    );
    const counts = `SELECT run, layer, count(*) AS n FROM readings GROUP BY run, layer
      ORDER BY run <> '${ids[0]}', layer`;
    expect(await ask(counts)).toEqual([
      { run: ids[0], layer: 'block1_conv1', n: 192 },
      { run: ids[1], layer: 'block1_conv1', n: 192 },
      { run: ids[1], layer: 'block1_conv2', n: 192 },
    ]);
  });

  test('a record of one run lacks what the run did not measure', async () => {
    const [first] = shallow.images;
    const sql = `SELECT blankFilters FROM images WHERE run = '${ids[0]}' AND row = ${String(first['row'])}`;
    const blank = first['blankFilters'] as Record<string, number>;
    expect(await ask(sql)).toEqual([{ blankFilters: { ...blank, block1_conv2: null } }]);
  });

  test('an unfinished run is left out and named', async () => {
    await rm(join(all, `runs/${ids[1]}/complete.json`));
    const { stdout, stderr } = await filterscope([
      'query',
      'all',
      'SELECT run FROM runs',
      '-o',
      all,
      '--json',
    ]);
    expect(JSON.parse(stdout)).toEqual([{ run: ids[0] }]);
    expect(stderr).toBe(`Over the 1 complete run; without ${ids[1].slice(0, 12)}, not complete.\n`);
    await rm(join(all, `runs/${ids[0]}/complete.json`));
    expect((await filterscope(['query', 'all', 'FROM runs', '-o', all])).code).toBe(4);
  });
});
