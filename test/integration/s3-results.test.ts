import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { imageRows } from '@filterscope/results/images';
import { openResults, type Results } from '@filterscope/results/open-results';
import { openQuery } from '@filterscope/results/query';
import { filterInFull, filterRows, layerRows } from '@filterscope/results/summaries';
import { completeRun } from '@filterscope/runs/complete-run';
import { runChunks } from '@filterscope/runs/run-chunks';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { askJson } from '../support/run-filterscope.ts';
import { startS3FaultProxy } from '../support/s3-fault-proxy.ts';
import { useCredentials } from '../support/distributed-run.ts';
import { FIRST_LAYER, plannedRun, type PlannedRun } from '../support/planned-run.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { createStubEngine } from '../support/stub-engine.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// The same run, in S3 and copied to a folder, gives the same answers; of S3, only what a question needs is fetched.

const s3 = inject('s3');
const newFolder = temporaryFolders();
const layer = FIRST_LAYER[0].layer;

describe.skipIf(s3 === undefined)('a run in S3', () => {
  let run: PlannedRun;
  let copy: ObjectStore;

  beforeAll(async () => {
    useCredentials(s3!);
    const photos = await newFolder();
    await writePhotos(photos, 7);
    await writeDated(`${photos}/cat/broken.jpg`, 'no picture');
    const access = { endpoint: s3!.endpoint };
    run = await plannedRun(photos, `s3://${s3!.bucket}/results/${randomUUID()}`, { access });
    await using engine = createStubEngine(FIRST_LAYER);
    const { document, dataset, output, work } = run;
    await runChunks({ document, dataset, output, engine, signal: work.signal });
    await completeRun(document, output, work.signal);
    copy = openFolderStore(await newFolder());
    for await (const { key } of output.list('')) await copy.put(key, (await output.get(key)).bytes);
    return async () => output[Symbol.asyncDispose]();
  });

  test('answers every question as the same run in a folder does', async () => {
    await using there = await openResults(run.output, run.document);
    await using here = await openResults(copy, run.document);
    const questions: ((results: Results) => Promise<unknown>)[] = [
      (results) => layerRows(results),
      (results) => filterRows(results, {}),
      (results) => filterRows(results, { class: 'cat' }),
      (results) => filterInFull(results, layer, 3),
      (results) => Array.fromAsync(imageRows(results)),
      (results) => ask(results, 'SELECT * FROM failures'),
      (results) => ask(results, 'SELECT * FROM readings ORDER BY row, filter'),
    ];
    for (const question of questions) {
      const answer = await question(there);
      expect(answer).toEqual(await question(here));
      expect(JSON.stringify(answer).length).toBeGreaterThan(100);
    }
  });

  test('fetches only the tables that a query names, and leaves nothing behind', async () => {
    const temporary = await newFolder();
    vi.stubEnv('TMPDIR', temporary);
    const fetched: string[] = [];
    const output: ObjectStore = {
      ...run.output,
      async get(key, range, signal) {
        fetched.push(key);
        return run.output.get(key, range, signal);
      },
    };
    const readings = () => fetched.filter((key) => key.startsWith('index/readings/')).length;
    await using results = await openResults(output, run.document);
    await layerRows(results);
    expect(fetched.filter((key) => /^index\/(?:images|filters|readings)/.test(key))).toEqual([]);
    await ask(results, 'SELECT images AS readings FROM layers JOIN filters USING (images)');
    expect(new Set(fetched.map((key) => /^index\/\w+/.exec(key)?.[0]))).toEqual(
      new Set([undefined, 'index/layers', 'index/filters']),
    );
    expect(readings()).toBe(0);
    await ask(results, 'SELECT count(*) FROM readings');
    expect(readings()).toBe(results.index.tables.readings.length);
    expect(await readdir(temporary)).toEqual([]);
    vi.unstubAllEnvs();
  });

  test('the command fetches a table once, however often and by how many processes it is asked', async () => {
    const requests: string[] = [];
    await using proxy = await startS3FaultProxy(s3!.endpoint, ({ method, path }) => {
      requests.push(`${method} ${decodeURIComponent(path.split('?')[0])}`);
      return 'pass';
    });
    const environment = { AWS_ENDPOINT_URL_S3: proxy.endpoint, FILTERSCOPE_CACHE: await newFolder() };
    const ask = async (...args: string[]) => {
      const answer = await askJson([...args, '--output', run.output.url], 0, { environment });
      const tables = requests.filter((request) => /^GET .*\/(?:index|merged|manifest)\//.test(request));
      const others = requests.length - tables.length;
      requests.length = 0;
      return { answer, tables, others };
    };
    const layers = await ask('layers', 'latest');
    expect(kinds(layers.tables)).toEqual(new Set(['index/layers']));
    const again = await ask('layers', 'latest');
    expect(again.answer).toEqual(layers.answer);
    expect(again.tables).toEqual([]);
    expect(again.others).toBeLessThan(10);

    const questions: [string[], string[]][] = [
      [
        ['filter', 'latest', `${layer}/3`],
        ['merged', 'manifest'],
      ],
      [['images', 'latest'], ['index/images']],
      [['query', 'latest', 'SELECT * FROM failures'], []],
      [['query', 'latest', 'SELECT count(*) AS n FROM readings'], ['index/readings']],
      [['filters', 'latest', '--class', 'cat'], []],
    ];
    for (const [question, expected] of questions) {
      const [first, second] = [await ask(...question), await ask(...question)];
      expect(kinds(first.tables)).toEqual(new Set(expected));
      expect(second.answer).toEqual(first.answer);
      expect(second.tables).toEqual([]);
    }
    const both = await Promise.all([1, 2].map(() => ask('filters', 'latest')));
    expect(both[0].answer).toEqual(both[1].answer);
  });
});

const kinds = (requests: readonly string[]) =>
  new Set(requests.map((request) => /\/(index\/\w+|merged|manifest)\//.exec(request)?.[1]));

async function ask(results: Results, sql: string) {
  await using session = await openQuery([results], sql);
  return await Array.fromAsync(session.rows());
}
