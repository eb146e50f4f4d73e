import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { carryOutChunk, firstPass } from '@filterscope/runs/carry-out-chunk';
import { readCommits } from '@filterscope/runs/commit';
import { completeRun } from '@filterscope/runs/complete-run';
import { readComplete } from '@filterscope/runs/index-document';
import { runChunks } from '@filterscope/runs/run-chunks';
import { chunkCount } from '@filterscope/runs/run-document';
import { openResults } from '@filterscope/results/open-results';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { dyingStore, failingStore, type PutFate } from '../support/failing-store.ts';
import { FIRST_LAYER, plannedRun } from '../support/planned-run.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { readStoredRun, uncommittedObjects, type StoredRun } from '../support/stored-run.ts';
import { createStubEngine } from '../support/stub-engine.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// The grey scales, two grids, the table of images, the accumulators, the readings, the commit.
const PUTS_OF_THE_FIRST_CHUNK = 7;
/** The grey scales are the run's, not the attempt's: they stay. */
const BEFORE_THE_ATTEMPT = 1;
const FATES: readonly PutFate[] = ['refused', 'answer-lost'];

const newFolder = temporaryFolders();
let photos: string;
let undisturbed: StoredRun;
beforeAll(async () => {
  photos = await newFolder();
  await writePhotos(photos, 10);
  await writeDated(`${photos}/cat/broken.jpg`, 'no picture');
  await writeDated(`${photos}/notes.txt`, 'no picture either');
  const { document, output, work } = await planned();
  await using engine = createStubEngine(FIRST_LAYER);
  await runChunks({ ...work, engine });
  await completeRun(document, output);
  undisturbed = await readStoredRun(output.url, document.run);
});

const planned = async () => plannedRun(photos, await newFolder());
const commits = async ({ document, output }: Awaited<ReturnType<typeof planned>>) =>
  Array.fromAsync(readCommits(output, document.run));

test('the undisturbed work on the first chunk is as many puts as the steps below fail at', async () => {
  const run = await planned();
  let puts = 0;
  const output = failingStore(run.output, () => {
    puts += 1;
    return 'stored';
  });
  await using engine = createStubEngine(FIRST_LAYER);
  await carryOutChunk({ ...run.work, output, engine }, 0);
  expect(puts).toBe(PUTS_OF_THE_FIRST_CHUNK);
});

describe.each(FATES)('an outage of the store: a put is %s', (fate) => {
  test.each(Array.from({ length: PUTS_OF_THE_FIRST_CHUNK - 1 }, (_, i) => i))(
    'number %i, before the commit: nothing is visible, nothing stays, and the work can be done again',
    async (at) => {
      const run = await planned();
      const output = failingStore(run.output, (put) => (put === at ? fate : 'stored'));
      await using engine = createStubEngine(FIRST_LAYER);
      await expect(carryOutChunk({ ...run.work, output, engine }, 0)).rejects.toThrow(/the put|answer/);
      expect(await commits(run)).toEqual([]);
      expect(await uncommittedObjects(run.output.url, run.document.run)).toEqual([]);
      await expect(openResults(run.output, run.document)).rejects.toMatchObject({ code: 'no-results' });

      const again = await carryOutChunk({ ...run.work, engine }, 0);
      expect(await commits(run)).toEqual([again]);
    },
  );
});

test('a commit that fails: nothing is visible, it may still arrive, and the work can be done again', async () => {
  const run = await planned();
  const output = failingStore(run.output, (_, key) => (key.includes('/commits/') ? 'refused' : 'stored'));
  await using engine = createStubEngine(FIRST_LAYER);
  await expect(carryOutChunk({ ...run.work, output, engine }, 0)).rejects.toThrow('refused');
  expect(await commits(run)).toEqual([]);
  const kept = await uncommittedObjects(run.output.url, run.document.run);
  expect(kept).toHaveLength(PUTS_OF_THE_FIRST_CHUNK - BEFORE_THE_ATTEMPT - 1);
  const again = await carryOutChunk({ ...run.work, engine }, 0);
  expect(await commits(run)).toEqual([again]);
});

test.each(['store-full', 'object-forbidden'])(
  'a commit that the store refuses as %s leaves nothing',
  async (code) => {
    const run = await planned();
    const error = new FilterscopeError(code, '', {
      class: code === 'store-full' ? 'transient' : 'permanent',
    });
    const output: ObjectStore = {
      ...run.output,
      put: async (key, bytes, options) => {
        if (key.includes('/commits/')) throw error;
        return run.output.put(key, bytes, options);
      },
    };
    await using engine = createStubEngine(FIRST_LAYER);
    await expect(carryOutChunk({ ...run.work, output, engine }, 0)).rejects.toThrow(error);
    expect(await uncommittedObjects(run.output.url, run.document.run)).toEqual([]);
  },
);

test('a commit whose answer is lost counts, and what it names stays', async () => {
  const run = await planned();
  const output = failingStore(run.output, (_, key) => (key.includes('/commits/') ? 'answer-lost' : 'stored'));
  await using engine = createStubEngine(FIRST_LAYER);
  const commit = await carryOutChunk({ ...run.work, output, engine }, 0);
  expect(commit).toBeDefined();
  expect(await commits(run)).toEqual([commit]);
  await using results = await openResults(run.output, run.document);
  expect(results.index.images).toBe(4);
});

test('a commit whose answer is lost and that was not the first gives way to the first', async () => {
  const run = await planned();
  await using engine = createStubEngine(FIRST_LAYER);
  const first = await carryOutChunk({ ...run.work, engine }, 0);
  const output = failingStore(run.output, (_, key) => (key.includes('/commits/') ? 'answer-lost' : 'stored'));
  expect(await carryOutChunk({ ...run.work, output, engine }, 0)).toBeUndefined();
  expect(await commits(run)).toEqual([first]);
  expect(await uncommittedObjects(run.output.url, run.document.run)).toEqual([]);
});

test.each(Array.from({ length: PUTS_OF_THE_FIRST_CHUNK }, (_, i) => i))(
  'a process that dies after put %i leaves nothing that anyone sees, and the whole run can still be done',
  async (lastPut) => {
    const run = await planned();
    await using engine = createStubEngine(FIRST_LAYER);
    const output = dyingStore(run.output, lastPut);
    await expect(carryOutChunk({ ...run.work, output, engine }, 0)).rejects.toThrow('dead');
    const left = await uncommittedObjects(run.output.url, run.document.run);
    expect(left).toHaveLength(Math.max(0, lastPut - BEFORE_THE_ATTEMPT));
    await expect(openResults(run.output, run.document)).rejects.toMatchObject({ code: 'no-results' });

    await runChunks({ ...run.work, engine });
    await completeRun(run.document, run.output);
    expect(await readStoredRun(run.output.url, run.document.run)).toEqual(undisturbed);
  },
);

test('a run that accounts for fewer rows than its manifest has does not complete', async () => {
  const { document, output, work } = await planned();
  await using engine = createStubEngine(FIRST_LAYER);
  const pass = firstPass(document, 0);
  await carryOutChunk({ ...work, engine }, 0, { ...pass, rows: pass.rows.slice(1) });
  await runChunks({ ...work, engine });
  await expect(completeRun(document, output)).rejects.toMatchObject({ code: 'rows-lost' });
  expect(await readComplete(output, document.run)).toBeUndefined();
});

test('of two executions of a chunk one counts; the late one is told so and its objects are gone', async () => {
  const run = await planned();
  const bothAtWork = Promise.withResolvers<void>();
  let waiting = 0;
  const before = async () => {
    waiting += 1;
    if (waiting === 2) bothAtWork.resolve();
    await bothAtWork.promise;
  };
  await using engine = createStubEngine(FIRST_LAYER, { before });
  const ends = await Promise.all([
    carryOutChunk({ ...run.work, engine }, 0),
    carryOutChunk({ ...run.work, engine }, 0),
  ]);
  const [winner] = ends.filter((commit) => commit !== undefined);
  expect(ends.filter((commit) => commit === undefined)).toHaveLength(1);
  expect(await commits(run)).toEqual([winner]);
  expect(await uncommittedObjects(run.output.url, run.document.run)).toEqual([]);
  await using results = await openResults(run.output, run.document);
  expect(results.index.images).toBe(4);
});

test('a worker that comes back long after another has done its chunk changes nothing', async () => {
  const run = await planned();
  const held = Promise.withResolvers<void>();
  const atWork = Promise.withResolvers<void>();
  const before = async () => {
    atWork.resolve();
    await held.promise;
  };
  await using slow = createStubEngine(FIRST_LAYER, { before });
  await using engine = createStubEngine(FIRST_LAYER);
  const zombie = carryOutChunk({ ...run.work, engine: slow }, 0);
  await atWork.promise;
  await runChunks({ ...run.work, engine });
  await completeRun(run.document, run.output);
  const commitsBefore = await commits(run);
  held.resolve();
  expect(await zombie).toBeUndefined();
  expect(await commits(run)).toEqual(commitsBefore);
  expect(await readStoredRun(run.output.url, run.document.run)).toEqual(undisturbed);
  expect(await uncommittedObjects(run.output.url, run.document.run)).toEqual([]);
});

test('a dataset that is out of reach is no image that failed', async () => {
  const run = await planned();
  const away = new FilterscopeError('store-unavailable', 'away', { class: 'transient' });
  const dataset: ObjectStore = {
    ...run.work.dataset,
    get: (key, ...rest) =>
      key.startsWith('dog/') ? Promise.reject(away) : run.work.dataset.get(key, ...rest),
  };
  await using engine = createStubEngine(FIRST_LAYER);
  await expect(runChunks({ ...run.work, dataset, engine })).rejects.toBe(away);
  for (const { failed } of await commits(run)) expect(failed).toBeLessThanOrEqual(1); // broken.jpg
  await runChunks({ ...run.work, engine });
  await completeRun(run.document, run.output);
  expect(await readStoredRun(run.output.url, run.document.run)).toEqual(undisturbed);
});

test('a dataset without any file is away, and its images have not failed', async () => {
  const run = await planned();
  const away = join(await newFolder(), 'away');
  await rename(photos, away); // as when a disk is not mounted
  await using engine = createStubEngine(FIRST_LAYER);
  await expect(runChunks({ ...run.work, engine })).rejects.toMatchObject({
    code: 'dataset-away',
    class: 'transient',
  });
  expect(await commits(run)).toEqual([]);
  await rename(away, photos);
  await runChunks({ ...run.work, engine });
  await completeRun(run.document, run.output);
  expect(await readStoredRun(run.output.url, run.document.run)).toEqual(undisturbed);
});

test('an engine that fails is no image that failed', async () => {
  const run = await planned();
  let images = 0;
  const before = async () => {
    if (images++ === 2) throw new Error('out of order');
  };
  await using engine = createStubEngine(FIRST_LAYER, { before });
  await expect(runChunks({ ...run.work, engine })).rejects.toThrow('out of order');
  const done = await commits(run);
  expect(done.length).toBeLessThan(chunkCount(run.document));
  await runChunks({ ...run.work, engine });
  const rows = (await commits(run)).map(({ ok, failed, skipped }) => ({ ok, failed, skipped }));
  const sum = (of: 'ok' | 'failed' | 'skipped') => rows.reduce((total, row) => total + row[of], 0);
  expect([sum('ok'), sum('failed'), sum('skipped')]).toEqual([10, 1, 1]);
});

test('what has its commit is not computed again', async () => {
  const undrawn = { grids: 'none', gridStyle: null, gridFormat: null } as const;
  const run = await plannedRun(photos, await newFolder(), undrawn);
  await using engine = createStubEngine(FIRST_LAYER);
  const first = await carryOutChunk({ ...run.work, engine }, 1);
  const before = engine.inferred();
  await runChunks({ ...run.work, engine });
  expect(engine.inferred() - before).toBe(10 - first!.ok);
  expect((await commits(run)).find(({ chunk }) => chunk === 1)).toEqual(first);
  await runChunks({ ...run.work, engine });
  expect(engine.inferred()).toBe(10);
});

test('an interrupted chunk leaves nothing', async () => {
  const run = await planned();
  const interrupt = new AbortController();
  const before = async () => interrupt.abort(new Error('interrupted'));
  await using engine = createStubEngine(FIRST_LAYER, { before });
  await expect(runChunks({ ...run.work, engine, signal: interrupt.signal })).rejects.toThrow('interrupted');
  expect(await commits(run)).toEqual([]);
  expect(await uncommittedObjects(run.output.url, run.document.run)).toEqual([]);
});

test('a file that changes or goes after the planning is a failed image, no failed run', async () => {
  const dataset = await newFolder();
  const [changed, gone, ...others] = await writePhotos(dataset, 4);
  const run = await plannedRun(dataset, await newFolder());
  await writeDated(join(dataset, changed), 'longer than before '.repeat(500));
  await rm(join(dataset, gone));
  await using engine = createStubEngine(FIRST_LAYER);
  await runChunks({ ...run.work, engine });
  await completeRun(run.document, run.output);
  const { images } = await readStoredRun(run.output.url, run.document.run);
  const codes = Object.fromEntries(images.map(({ image, status, code }) => [image, code ?? status]));
  expect(codes).toEqual({ [changed]: 'changed', [gone]: 'missing', [others[0]]: 'ok', [others[1]]: 'ok' });
});
