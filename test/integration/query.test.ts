import { existsSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { decodeParquet } from '@filterscope/runs/parquet';
import { findRun } from '@filterscope/results/find-run';
import { openResults } from '@filterscope/results/open-results';
import { openQuery } from '@filterscope/results/query';
import { openFolderStore } from '@filterscope/storage/folder-store';
import { askJson, filterscope } from '../support/run-filterscope.ts';
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
  expect(await rows('SELECT * FROM layers')).toEqual(stored.layers);
  expect(await rows('FROM filters')).toEqual(stored.filters);
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

describe('refuses, with 2 and no effect', () => {
  test.each([
    "COPY layers TO 'stolen.csv'",
    `COPY (SELECT 1) TO '${STOLEN}'`,
    "ATTACH 'other.db'",
    'INSTALL httpfs',
    'LOAD httpfs',
    "PRAGMA memory_limit = '1GB'",
    "PRAGMA enable_profiling = 'json'",
    "SET memory_limit = '1GB'",
    'SET enable_external_access = true',
    'RESET lock_configuration',
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'https://127.0.0.1:9/x.parquet'",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM query('COPY layers TO ''stolen.csv''')",
    'SELECT 1; SELECT 2',
    "SELECT 1; COPY layers TO 'stolen.csv'",
    'CREATE TABLE mine AS SELECT 1',
    'CREATE VIEW mine AS SELECT 1',
    "CREATE MACRO mine() AS TABLE SELECT * FROM read_text('/etc/passwd')",
    'INSERT INTO layers SELECT * FROM layers',
    'DELETE FROM layers',
    'DROP TABLE layers',
    'EXPLAIN ANALYZE DELETE FROM layers',
    "EXPORT DATABASE 'stolen'",
    'CALL pragma_version()',
    "SELECT 1) TO 'stolen.csv' (FORMAT csv); --",
    '',
    '/* nothing */',
    'SELEC 1',
    'SELECT nonsense FROM layers',
  ])('%s', async (sql) => {
    await using store = openFolderStore(output);
    await using results = await openResults(store, await findRun(store, 'latest'));
    await using session = await openQuery(results, sql);
    await expect(Array.fromAsync(session.rows(sql))).rejects.toMatchObject({ code: 'bad-query' });
    await expect(session.writeFile(sql, 'csv')).rejects.toMatchObject({ code: 'bad-query' });
    expect(existsSync('stolen.csv') || existsSync('stolen') || existsSync(STOLEN)).toBe(false);
    // The tables are as they were, and so are the session's walls.
    const whole = 'SELECT (SELECT count(*) FROM layers) AS layers, (SELECT count(*) FROM images) AS images';
    expect(await Array.fromAsync(session.rows(whole))).toEqual([{ layers: 1, images: 7 }]);
    const passwords = Array.fromAsync(session.rows("SELECT * FROM read_text('/etc/passwd')"));
    await expect(passwords).rejects.toMatchObject({ code: 'bad-query' });
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

  test('even a file of the output that is no table of the run', async () => {
    await writeFile(join(output, 'secret.csv'), 'a\n1\n');
    const { code, stderr } = await query(`SELECT * FROM read_csv('${join(output, 'secret.csv')}')`);
    expect(stderr).toContain('Permission Error');
    expect(code).toBe(2);
  });
});
