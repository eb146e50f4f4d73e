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
});

async function ask(results: Results, sql: string) {
  await using session = await openQuery([results], sql);
  return await Array.fromAsync(session.rows());
}
