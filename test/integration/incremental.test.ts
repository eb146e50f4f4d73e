import { randomUUID } from 'node:crypto';
import { cp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { carryOutChunk } from '@filterscope/runs/carry-out-chunk';
import { completeRun } from '@filterscope/runs/complete-run';
import { deleteRun } from '@filterscope/runs/delete-run';
import { retryPass } from '@filterscope/runs/retry-pass';
import { readReuse, storeReuse } from '@filterscope/runs/reuse-table';
import { runChunks } from '@filterscope/runs/run-chunks';
import { runFolder } from '@filterscope/runs/run-keys';
import { readRunStatus } from '@filterscope/runs/run-status';
import type { Summary } from '../support/answers.ts';
import { upload, useCredentials } from '../support/distributed-run.ts';
import { FIRST_LAYER, plannedRun, type PlannedRun, type PlannedRunOptions } from '../support/planned-run.ts';
import { askJson, filterscope, startFilterscope, type Running } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { commitsOf, readStoredRun, type StoredRun } from '../support/stored-run.ts';
import { createStubEngine } from '../support/stub-engine.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { waitForEntries } from '../support/wait-for-entries.ts';

// A run over a dataset that was analysed before takes what has not changed from the earlier runs of its output, and answers as
// a run from scratch does.

const PHOTOS = 30;
const NO_GRIDS = { grids: 'none', gridStyle: null, gridFormat: null } as const;
const REUSE = { reuse: {} };
const newFolder = temporaryFolders();

type Settings = Parameters<typeof plannedRun>[2];

/** @returns images that went through the engine */
async function carryOut({ document, output, work }: PlannedRun): Promise<number> {
  await using engine = createStubEngine(FIRST_LAYER);
  await runChunks({ ...work, engine });
  await completeRun(document, output);
  return engine.inferred();
}

/** An output with a complete run over `count` photos and two files that are none, and the dataset. */
async function analysed(settings: Settings = NO_GRIDS, count = PHOTOS) {
  const dataset = await newFolder();
  const keys = await writePhotos(dataset, count);
  await writeDated(join(dataset, 'cat/broken.jpg'), 'no picture');
  await writeDated(join(dataset, 'notes.txt'), 'no picture either');
  const output = await newFolder();
  const source = await plannedRun(dataset, output, settings);
  await carryOut(source);
  return { dataset, output, keys, source };
}

/** What a run from scratch answers. */
async function fromScratch(dataset: string, settings: Settings = NO_GRIDS): Promise<StoredRun> {
  const run = await plannedRun(dataset, await newFolder(), settings);
  await carryOut(run);
  return readStoredRun(run.output, run.document.run);
}

/** Runs again, with reuse, and expects the answers of a run from scratch. @returns images that were computed, and reused. */
async function again(dataset: string, output: string, settings: Settings & PlannedRunOptions = NO_GRIDS) {
  const run = await plannedRun(dataset, output, { ...settings, ...REUSE });
  const computed = await carryOut(run);
  expect(await readStoredRun(run.output, run.document.run)).toEqual(await fromScratch(dataset, settings));
  const { reused } = await readRunStatus(run.output, run.document.run);
  return { computed, reused, run };
}

/** Adds photos numbered from `from` on. */
async function grow(dataset: string, from: number, count: number): Promise<void> {
  const more = await newFolder();
  await writePhotos(more, from + count);
  for (let i = 0; i < from; i++) await rm(join(more, photo(i)));
  await cp(more, dataset, { recursive: true, preserveTimestamps: true });
}
/** Makes pictures of one size, with one date; what follows a JPEG's end is not looked at. */
async function pad(path: string): Promise<void> {
  const bytes = Buffer.alloc(20_000);
  (await readFile(path)).copy(bytes);
  await writeDated(path, bytes);
}
const photo = (i: number) => `${['cat', 'dog', 'flower'][i % 3]}/photo ${i}.jpg`;

describe('a folder', () => {
  test('that grew: the new images are computed, nothing else', async () => {
    const { dataset, output } = await analysed();
    await grow(dataset, PHOTOS, 5);
    const { computed, reused, run } = await again(dataset, output);
    expect({ computed, reused }).toEqual({ computed: 5, reused: PHOTOS });
    expect(run.document.reuse).toMatchObject({ unchanged: PHOTOS, sameName: 0, engines: ['stub 1.0.0'] });
  });

  test('that shrank: nothing is computed, and what was removed is gone from the numbers', async () => {
    const { dataset, output, keys } = await analysed();
    for (const key of keys.slice(0, 7)) await rm(join(dataset, key));
    const { computed, reused, run } = await again(dataset, output);
    expect({ computed, reused }).toEqual({ computed: 0, reused: PHOTOS - 7 });
    const { layers } = await readStoredRun(output, run.document.run);
    expect(layers).toMatchObject([{ images: PHOTOS - 7 }]);
  });

  test('with one image changed in place: it is computed', async () => {
    const { dataset, output } = await analysed();
    const { size } = await stat(join(dataset, photo(3)));
    const bytes = Buffer.alloc(size); // what is missing of a JPEG is grey, what follows its end is not looked at
    (await readFile(join(dataset, photo(8)))).copy(bytes);
    await writeFile(join(dataset, photo(3)), bytes);
    const { computed, reused } = await again(dataset, output);
    expect({ computed, reused }).toEqual({ computed: 1, reused: PHOTOS - 1 });
  });

  test('with one image touched: its content tells that it is the same', async () => {
    const { dataset, output } = await analysed();
    await utimes(join(dataset, photo(3)), new Date(), new Date());
    const { computed, reused, run } = await again(dataset, output);
    expect({ computed, reused }).toEqual({ computed: 0, reused: PHOTOS });
    expect(run.document.reuse).toMatchObject({ unchanged: PHOTOS - 1, sameName: 1 });
  });

  test('with one image renamed: it is computed', async () => {
    const { dataset, output } = await analysed();
    await rename(join(dataset, photo(3)), join(dataset, 'cat/new name.jpg'));
    const { computed, reused } = await again(dataset, output);
    expect({ computed, reused }).toEqual({ computed: 1, reused: PHOTOS - 1 });
  });

  test('with a file mended that was no picture: it is computed', async () => {
    const { dataset, output } = await analysed();
    await cp(join(dataset, photo(1)), join(dataset, 'cat/broken.jpg'));
    expect(await again(dataset, output)).toMatchObject({ computed: 1, reused: PHOTOS });
  });

  test('elsewhere, with the same dates: every image is compared by content', async () => {
    const { dataset, output } = await analysed();
    const swapped = [photo(0), photo(5)];
    for (const key of swapped) await pad(join(dataset, key));
    expect(await again(dataset, output)).toMatchObject({ computed: 2 });
    const copy = await newFolder();
    await cp(dataset, copy, { recursive: true, preserveTimestamps: true });
    await rm(join(copy, photo(9))); // or it would be the same run
    for (const [i, key] of swapped.entries())
      await writeDated(join(copy, key), await readFile(join(dataset, swapped[1 - i])));
    const { computed, reused, run } = await again(copy, output);
    expect({ computed, reused }).toEqual({ computed: 2, reused: PHOTOS - 3 });
    expect(run.document.reuse).toMatchObject({ unchanged: 0, sameName: PHOTOS - 1 });
  });

  test('images that get grids are drawn, and the grey scale is measured anew', async () => {
    const grids = { grids: { first: 4 } };
    const { dataset, output } = await analysed(grids);
    await grow(dataset, PHOTOS, 5);
    const { computed, reused } = await again(dataset, output, grids);
    const scratch = await plannedRun(dataset, await newFolder(), grids);
    expect(computed + reused).toBe(await carryOut(scratch));
    expect(reused).toBeGreaterThanOrEqual(PHOTOS - 4);
  });
});

describe('earlier runs', () => {
  test.each([3, 7, 100])('in chunks of %i', async (chunkSize) => {
    const { dataset, output } = await analysed({ ...NO_GRIDS, chunkSize });
    await grow(dataset, PHOTOS, 5);
    expect(await again(dataset, output)).toMatchObject({ computed: 5, reused: PHOTOS });
  });

  test('one of which redid an image', async () => {
    const { dataset, output, source } = await analysed();
    const broken = join(dataset, 'cat/broken.jpg');
    const moved = join(await newFolder(), 'moved');
    // What failed because it was away for a moment comes with a later revision.
    await deleteRun(source.output, source.document.run);
    const planned = await plannedRun(dataset, output, NO_GRIDS);
    await rename(join(dataset, photo(4)), moved);
    await carryOut(planned);
    await rename(moved, join(dataset, photo(4)));
    await using engine = createStubEngine(FIRST_LAYER);
    const { run } = planned.document;
    for (const { chunk } of await commitsOf(output, run)) {
      const pass = await retryPass(planned.output, run, chunk, 1, ['missing']);
      if (pass.rows.length > 0) await carryOutChunk({ ...planned.work, engine }, chunk, pass);
    }
    await completeRun(planned.document, planned.output);
    expect(engine.inferred()).toBe(1);
    await rm(broken);
    expect(await again(dataset, output)).toMatchObject({ computed: 0, reused: PHOTOS });
  });

  test('two of them, each with a part of the images', async () => {
    const { dataset, output, keys } = await analysed();
    const [first, ...rest] = keys;
    const aside = await newFolder();
    await cp(join(dataset, first), join(aside, 'one'), { preserveTimestamps: true });
    for (const key of rest) await rename(join(dataset, key), join(aside, key.replaceAll('/', '-')));
    await rm(join(dataset, first));
    await grow(dataset, PHOTOS, 6);
    expect(await again(dataset, output)).toMatchObject({ computed: 6, reused: 0 });
    for (const key of rest) await rename(join(aside, key.replaceAll('/', '-')), join(dataset, key));
    const { computed, reused, run } = await again(dataset, output);
    expect({ computed, reused }).toEqual({ computed: 0, reused: PHOTOS - 1 + 6 });
    expect(run.document.reuse!.runs).toHaveLength(2);
  });

  test.each([
    ['deleted', async ({ output, document }: PlannedRun) => void (await deleteRun(output, document.run))],
    ['broken', breakReadings],
  ])('that are %s after the planning: their images are computed', async (_, harm) => {
    const { dataset, output, source } = await analysed();
    await grow(dataset, PHOTOS, 5);
    const run = await plannedRun(dataset, output, { ...NO_GRIDS, ...REUSE });
    await using engine = createStubEngine(FIRST_LAYER);
    const first = await carryOutChunk({ ...run.work, engine }, 0);
    expect(first!.reused).toBeGreaterThan(0);
    await harm(source);
    await runChunks({ ...run.work, engine });
    await completeRun(run.document, run.output);
    expect(engine.inferred()).toBe(PHOTOS + 5 - first!.reused);
    expect(await readStoredRun(output, run.document.run)).toEqual(await fromScratch(dataset));
  });

  test('deleted after the completion: nothing is missing', async () => {
    const { dataset, output, source } = await analysed();
    await grow(dataset, PHOTOS, 5);
    const { run } = await again(dataset, output);
    const before = await readStoredRun(output, run.document.run);
    await deleteRun(source.output, source.document.run);
    expect(await readStoredRun(output, run.document.run)).toEqual(before);
  });

  test('made by another engine: all is computed', async () => {
    const { dataset, output } = await analysed();
    await grow(dataset, PHOTOS, 5);
    const run = await plannedRun(dataset, output, { ...NO_GRIDS, ...REUSE });
    await using stub = createStubEngine(FIRST_LAYER);
    const engine = { ...stub, identity: { ...stub.identity, version: '2.0.0' } };
    await runChunks({ ...run.work, engine });
    await completeRun(run.document, run.output);
    expect(stub.inferred()).toBe(PHOTOS + 5);
    expect((await readRunStatus(run.output, run.document.run)).reused).toBe(0);
  });

  test('made by an engine that is known not to be this one: nothing is planned', async () => {
    const { dataset, output } = await analysed();
    await grow(dataset, PHOTOS, 1);
    await using stub = createStubEngine(FIRST_LAYER);
    const reuse = { engine: { ...stub.identity, processor: 'another' } };
    const { document } = await plannedRun(dataset, output, { ...NO_GRIDS, reuse });
    expect(document.reuse).toBeNull();
  });

  test.each([
    ['of another fit', { fit: 'stretch' }],
    ['that kept no readings', { readings: 'none' }],
  ] as const)('%s are of no use', async (_, settings) => {
    const { dataset, output } = await analysed({ ...NO_GRIDS, ...settings });
    expect(await again(dataset, output)).toMatchObject({ computed: PHOTOS, reused: 0 });
  });

  test('serve a run that keeps no readings', async () => {
    const { dataset, output } = await analysed();
    const settings = { ...NO_GRIDS, readings: 'none' } as const;
    expect(await again(dataset, output, settings)).toMatchObject({ computed: 0, reused: PHOTOS });
  });

  test('are left alone unless told', async () => {
    const { dataset, output } = await analysed();
    await grow(dataset, PHOTOS, 1);
    const run = await plannedRun(dataset, output, NO_GRIDS);
    expect(run.document.reuse).toBeNull();
    expect(await carryOut(run)).toBe(PHOTOS + 1);
  });
});

test('two processes that plan the same run from different earlier runs: either table holds', async () => {
  const { dataset, output, source } = await analysed();
  await grow(dataset, PHOTOS, 4);
  const between = await plannedRun(dataset, output, NO_GRIDS);
  await carryOut(between);
  await grow(dataset, PHOTOS + 4, 4);
  const both = await Promise.all([1, 2].map(() => plannedRun(dataset, output, { ...NO_GRIDS, ...REUSE })));
  expect(both[0].document).toEqual(both[1].document);
  // The one that planned last may have known less.
  const late = join(output, runFolder(both[0].document.run), 'reuse');
  const alone = await newFolder();
  await cp(join(output), alone, { recursive: true });
  await deleteRun(between.output, between.document.run);
  await rm(join(output, runFolder(both[0].document.run)), { recursive: true });
  const again = await plannedRun(dataset, output, { ...NO_GRIDS, ...REUSE });
  expect(again.document.reuse!.runs).toEqual([source.document.run]);
  await cp(late, join(alone, runFolder(again.document.run), 'reuse'), { recursive: true });
  const run = await plannedRun(dataset, alone, { ...NO_GRIDS, ...REUSE });
  expect(run.document.reuse!.runs).toEqual([between.document.run]);
  expect(await carryOut(run)).toBe(8);
  expect(await readStoredRun(alone, run.document.run)).toEqual(await fromScratch(dataset));
});

test('a table that names the wrong rows: all is computed', async () => {
  const [dataset, output] = [await newFolder(), await newFolder()];
  for (const key of await writePhotos(dataset, PHOTOS)) await pad(join(dataset, key));
  await carryOut(await plannedRun(dataset, output, NO_GRIDS));
  await grow(dataset, PHOTOS, 1);
  const run = await plannedRun(dataset, output, { ...NO_GRIDS, ...REUSE });
  const { document } = run;
  const { rows } = document.manifest;
  const found = await readReuse(run.output, document.run, 0, rows);
  expect(found).toHaveLength(PHOTOS);
  const entries = () => found.map((entry) => ({ ...entry, runRow: (entry.runRow + 1) % (rows - 1) }));
  await storeReuse(run.output, document.run, { ...document.reuse!, runs: [], entries }, rows);
  expect(await carryOut(run)).toBe(PHOTOS + 1);
  expect(await readStoredRun(output, document.run)).toEqual(await fromScratch(dataset));
});

test('interrupted in the middle, and taken up by another process', async () => {
  const { dataset, output } = await analysed();
  await grow(dataset, PHOTOS, 10);
  const run = await plannedRun(dataset, output, { ...NO_GRIDS, ...REUSE });
  const interrupt = new AbortController();
  const before = async () => interrupt.abort(new Error('interrupted'));
  await using engine = createStubEngine(FIRST_LAYER, { before });
  await expect(runChunks({ ...run.work, engine, signal: interrupt.signal })).rejects.toThrow('interrupted');
  expect(await again(dataset, output)).toMatchObject({ reused: PHOTOS });
});

test(
  'the commands say so; killed in the middle, the same command goes on; layers that were measured before cost nothing',
  { timeout: 180_000 },
  async () => {
    const dataset = await newFolder();
    await writePhotos(dataset, PHOTOS);
    const output = await newFolder();
    const weights = await writeSmallWeights(await newFolder());
    const analyze = (layers: string, ...more: string[]) => {
      const settings = ['--weights', weights, '--layers', layers, '--grids', 'none', '--chunk-size', '4'];
      return ['analyze', dataset, '-o', output, ...settings, ...more];
    };
    expect(await askJson<Summary>(analyze('..block1_conv2'))).toMatchObject({ reused: 0 });
    await grow(dataset, PHOTOS, 10);
    const planned = await askJson<{ images: number; reused: number }>([
      ...analyze('..block1_conv2').with(0, 'submit'),
      '--dry-run',
    ]);
    expect(planned).toMatchObject({ images: PHOTOS + 10, reused: PHOTOS });

    const running = startFilterscope(analyze('..block1_conv2'));
    const run = await untilPlanned(output, running);
    await waitForEntries(join(output, runFolder(run), 'commits'), 2, running);
    running.child.kill('SIGKILL');
    await running.finished;
    const { stderr } = await filterscope(analyze('..block1_conv2'));
    expect(stderr).toContain(`${PHOTOS} of ${PHOTOS + 10} images are taken from earlier runs.`);
    expect(stderr).toContain(`${PHOTOS + 10} ok (${PHOTOS} of them taken from earlier runs)`);
    const scratch = await newFolder();
    await askJson<Summary>([...analyze('..block1_conv2'), '-o', scratch]);
    expect(await readStoredRun(output, run)).toEqual(await readStoredRun(scratch, run));

    const fewer = await askJson<Summary>(analyze('block1_conv2'));
    expect(fewer).toMatchObject({ reused: PHOTOS + 10 });
    await askJson<Summary>([...analyze('block1_conv2', '--no-reuse'), '-o', scratch]);
    expect(await readStoredRun(output, fewer.run)).toEqual(await readStoredRun(scratch, fewer.run));
    const status = await askJson<{ reused: number }>(['status', fewer.run, '-o', scratch]);
    expect(status.reused).toBe(0);
  },
);

/** Waits for the second run of an output. @returns its id */
async function untilPlanned(output: string, running: Running): Promise<string> {
  const [first] = await readdir(join(output, 'runs'));
  await waitForEntries(join(output, 'runs'), 2, running);
  const found = await readdir(join(output, 'runs'));
  return found.find((run) => run !== first)!;
}

describe.skipIf(inject('s3') === undefined)('a dataset and an output in S3', () => {
  test('that grew, with one image uploaded again and one replaced', async () => {
    const s3 = inject('s3')!;
    useCredentials(s3);
    const access = { endpoint: s3.endpoint };
    const place = `s3://${s3.bucket}/incremental-${randomUUID()}`;
    const settings = { ...NO_GRIDS, access };
    const photos = await newFolder();
    const keys = await writePhotos(photos, PHOTOS);
    await upload(photos, `${place}/images`, s3.endpoint);
    const source = await plannedRun(`${place}/images`, `${place}/out`, settings);
    await carryOut(source);

    await grow(photos, PHOTOS, 5);
    await cp(join(photos, keys[7]), join(photos, keys[2]));
    await upload(photos, `${place}/images`, s3.endpoint); // the same bytes have the same ETag here
    const run = await plannedRun(`${place}/images`, `${place}/out`, { ...settings, ...REUSE });
    expect(run.document.reuse).toMatchObject({ unchanged: PHOTOS - 1, sameName: 1 });
    expect(await carryOut(run)).toBe(6);
    const scratch = await plannedRun(`${place}/images`, `${place}/scratch`, settings);
    await carryOut(scratch);
    expect(await readStoredRun(run.output, run.document.run)).toEqual(
      await readStoredRun(scratch.output, scratch.document.run),
    );
    for (const { output, dataset } of [source, run, scratch]) {
      await output[Symbol.asyncDispose]();
      await dataset[Symbol.asyncDispose]();
    }
  });
});

async function breakReadings({ output, document }: PlannedRun): Promise<void> {
  for (const { readings } of await commitsOf(output, document.run))
    await output.put(readings!.key, new TextEncoder().encode('broken'));
}
