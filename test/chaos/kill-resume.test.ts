import { randomInt } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { attemptFolder } from '@filterscope/runs/run-keys';
import { askJson, filterscope, startFilterscope, type Running } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { commitsOf, readStoredRun, uncommittedObjects, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { waitForEntries } from '../support/wait-for-entries.ts';

const FULL = process.env['FILTERSCOPE_TEST'] === 'full';
const PHOTOS = 60;
const ROWS = PHOTOS + 2;
const CHUNK_SIZE = 4;
const CHUNKS = Math.ceil(ROWS / CHUNK_SIZE);

const newFolder = temporaryFolders();
let photos: string;
let weights: string;
let run: string;
let undisturbed: StoredRun;
beforeAll(async () => {
  photos = await newFolder();
  await writePhotos(photos, PHOTOS);
  await writeDated(join(photos, 'broken.jpg'), 'no picture');
  await writeDated(join(photos, 'notes.txt'), 'no picture either');
  weights = await writeSmallWeights(await newFolder());
  const output = await newFolder();
  ({ run } = await askJson<{ run: string }>(analyze(output), 3));
  undisturbed = await readStoredRun(output, run);
});

/** The command under test, the same each time; one image of the dataset fails, so that it ends with 3. */
function analyze(output: string, ...more: string[]): string[] {
  const settings = ['--weights', weights, '--layers', 'block1_conv1', '--grids', '8'];
  return ['analyze', photos, '-o', output, ...settings, '--chunk-size', String(CHUNK_SIZE), ...more];
}

const commitsFolder = (output: string) => join(output, 'runs', run, 'commits');
const attemptsOf = async (output: string) =>
  new Map((await commitsOf(output, run)).map(({ chunk, attempt }) => [chunk, attempt]));

async function kill(running: Running): Promise<void> {
  running.child.kill('SIGKILL');
  expect((await running.finished).signal).toBe('SIGKILL');
}

/** What readers see after a kill: nothing, or exactly what is committed. */
async function expectConsistent(output: string): Promise<void> {
  const commits = await commitsOf(output, run);
  const ok = commits.reduce((sum, commit) => sum + commit.ok, 0);
  const { code, stdout, stderr } = await filterscope(['layers', run, '-o', output, '--json']);
  if (commits.length === 0) {
    expect(stderr).toMatch(/no results yet|there is no run/);
    expect(code).toBe(4);
    return;
  }
  expect(JSON.parse(stdout)).toMatchObject([{ layer: 'block1_conv1', images: ok }]);
}

async function expectResumed(output: string, before: ReadonlyMap<number, string>): Promise<void> {
  const touched = await chunkFolderDates(output, before);
  const { code, stderr } = await filterscope(analyze(output));
  expect(stderr).toContain('is complete');
  expect(code).toBe(3);
  const after = await attemptsOf(output);
  for (const [chunk, attempt] of before) expect(after.get(chunk), `chunk ${chunk}`).toBe(attempt);
  expect(await chunkFolderDates(output, before), 'no chunk with a commit was begun again').toEqual(touched);
  expect(await readStoredRun(output, run)).toEqual(undisturbed);
}

/** When an attempt last came to, or went from, each of these chunks: an attempt leaves a trace even where it is discarded. */
async function chunkFolderDates(output: string, chunks: ReadonlyMap<number, string>): Promise<number[]> {
  const folders = [...chunks].map(([chunk, attempt]) =>
    dirname(join(output, attemptFolder(run, chunk, attempt))),
  );
  return Promise.all(folders.map(async (folder) => (await stat(folder)).mtimeMs));
}

test.each(Array.from({ length: FULL ? 10 : 3 }, (_, i) => i + 1))(
  'killed at a random moment, then the same command again: identical tables, committed chunks untouched (%i)',
  async () => {
    const output = await newFolder();
    const running = startFilterscope(analyze(output));
    await waitForEntries(commitsFolder(output), randomInt(1, CHUNKS - 6), running);
    await setTimeout(randomInt(0, 60)); // anywhere in the work on a chunk
    await kill(running);
    const before = await attemptsOf(output);
    expect(before.size).toBeGreaterThan(0);
    expect(before.size).toBeLessThan(CHUNKS);
    await expectConsistent(output);
    await expectResumed(output, before);
  },
);

test('killed again and again in one output', async () => {
  const output = await newFolder();
  let before = new Map<number, string>();
  for (let kills = 0; kills < (FULL ? 10 : 3); kills++) {
    const running = startFilterscope(analyze(output));
    await waitForEntries(commitsFolder(output), before.size + 2, running);
    await kill(running);
    const now = await attemptsOf(output);
    for (const [chunk, attempt] of before) expect(now.get(chunk)).toBe(attempt);
    before = now;
  }
  await expectResumed(output, before);
});

test('killed while it plans', async () => {
  const output = await newFolder();
  const running = startFilterscope(analyze(output));
  await waitForEntries(join(output, 'runs', run, 'manifest'), 1, running);
  await kill(running);
  await expectConsistent(output);
  await expectResumed(output, await attemptsOf(output));
});

test('killed while it writes the index', async () => {
  const output = await newFolder();
  const running = startFilterscope(analyze(output));
  await waitForEntries(join(output, 'index', 'images', `run=${run}`), 1, running);
  await kill(running);
  const before = await attemptsOf(output);
  expect(before.size).toBe(CHUNKS);
  await expectConsistent(output);
  await expectResumed(output, before);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s: ends with 130, says that it can go on, leaves nothing without a commit, and goes on',
  async (signal) => {
    const output = await newFolder();
    const running = startFilterscope(analyze(output));
    await waitForEntries(commitsFolder(output), 3, running);
    running.child.kill(signal);
    const { code, stderr } = await running.finished;
    expect(stderr).toContain('the same command goes on from there');
    expect(code).toBe(130);
    const before = await attemptsOf(output);
    expect(before.size).toBeLessThan(CHUNKS);
    expect(await uncommittedObjects(output, run)).toEqual([]);
    await expectConsistent(output);
    await expectResumed(output, before);
  },
);

test('two processes on the same run: both end well, with one commit a chunk', async () => {
  const output = await newFolder();
  const both = await Promise.all([filterscope(analyze(output)), filterscope(analyze(output))]);
  for (const { code, stderr } of both) {
    expect(stderr).toContain('is complete');
    expect(code).toBe(3);
  }
  const commits = await commitsOf(output, run);
  expect(commits.map(({ chunk }) => chunk)).toEqual(Array.from({ length: CHUNKS }, (_, i) => i));
  expect(commits.reduce((rows, commit) => rows + commit.rows, 0)).toBe(ROWS);
  expect(await uncommittedObjects(output, run)).toEqual([]);
  expect(await readStoredRun(output, run)).toEqual(undisturbed);
});

test.concurrent.each([
  ['--chunk-size', '7'],
  ['--chunk-size', '200'],
  ['--threads', '1'],
  ['--threads', '3'],
])('%s %s gives the same run and the same tables', async (...option) => {
  const output = await newFolder();
  const { run: same } = await askJson<{ run: string }>(analyze(output, ...option), 3);
  expect(same).toBe(run);
  expect(await readStoredRun(output, run)).toEqual(undisturbed);
});

test('a reader during the run sees what is committed, never half of it', async () => {
  const output = await newFolder();
  const running = startFilterscope(analyze(output));
  await waitForEntries(commitsFolder(output), 1, running);
  let last = 0;
  do {
    const before = await okOf(output);
    const { code, stdout, stderr } = await filterscope(['layers', run, '-o', output, '--json']);
    const after = await okOf(output);
    expect(code, stderr).toBe(0);
    const [{ images }] = JSON.parse(stdout) as { images: number }[];
    expect(images).toBeGreaterThanOrEqual(Math.max(before, last));
    expect(images).toBeLessThanOrEqual(after);
    last = images;
  } while (running.child.exitCode === null);
  expect((await running.finished).code).toBe(3);
});

/** Images that are ok by the commits so far: what a reader that began now would see at least. */
async function okOf(output: string): Promise<number> {
  return (await commitsOf(output, run)).reduce((sum, { ok }) => sum + ok, 0);
}
