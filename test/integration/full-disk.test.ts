import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, expect, test, type TestContext } from 'vitest';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { commitsOf, readStoredRun, uncommittedObjects } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const run = promisify(execFile);
const newFolder = temporaryFolders();
const mounted: string[] = [];
afterEach(async () => {
  for (const folder of mounted.splice(0)) await run('umount', [folder]);
});

/** A folder on a disk of its own with room for so much; skips the test, with the reason printed, where that cannot be had. */
async function smallDisk(sizeKb: number, context: TestContext): Promise<string> {
  const folder = await newFolder();
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeKb}k`, 'filterscope-test', folder]);
  } catch (error) {
    const reason = `no disk can be mounted here: ${(error as Error).message.split('\n')[0]}`;
    console.log(`skipped: ${reason}`);
    return context.skip(reason);
  }
  mounted.push(folder);
  return folder;
}

const filesIn = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());

async function analyze(output: string, weights: string): Promise<string[]> {
  const photos = await newFolder();
  await writePhotos(photos, 24);
  const settings = ['--weights', weights, '--layers', 'block1_conv1', '--grids', 'all', '--chunk-size', '4'];
  return ['analyze', photos, '-o', output, ...settings];
}

test('a disk without room for the weights: a sentence, 5, and nothing stays', async (context) => {
  const disk = await smallDisk(2048, context);
  const output = join(disk, 'out');
  const { code, stdout, stderr } = await filterscope(await analyze(output, 'synthetic'));
  expect(stderr).toMatch(/^filterscope: no space left .*; free some and run the same command again$/m);
  expect(stderr).not.toContain(' at ');
  expect(stdout).toBe('');
  expect(code).toBe(5);
  expect(await filesIn(disk)).toEqual([]);
  expect(await askJson(['runs', '-o', output])).toEqual([]);
});

test('a disk that fills up in the middle: what is committed is whole, and with more room it goes on', async (context) => {
  const disk = await smallDisk(6144, context);
  const command = await analyze(disk, await writeSmallWeights(await newFolder()));
  const { code, stdout, stderr } = await filterscope(command);
  expect(stderr).toMatch(/^filterscope: no space left /m);
  expect(stdout).toBe('');
  expect(code).toBe(5);

  const [{ run: id, state }] = await askJson<{ run: string; state: string }[]>(['runs', '-o', disk]);
  expect(state).toBe('running');
  const before = await commitsOf(disk, id);
  expect(before.length).toBeGreaterThan(0);
  expect(before.length).toBeLessThan(6);
  expect(await uncommittedObjects(disk, id)).toEqual([]);
  expect((await filesIn(disk)).filter(({ parentPath }) => parentPath.includes('unfinished'))).toEqual([]);
  const [{ images }] = await askJson<{ images: number }[]>(['layers', id, '-o', disk]);
  expect(images).toBe(before.reduce((sum, { ok }) => sum + ok, 0));

  await run('mount', ['-o', 'remount,size=200m', disk]);
  expect(await askJson(command)).toMatchObject({ run: id, state: 'complete', ok: 24 });
  expect(await commitsOf(disk, id)).toEqual(expect.arrayContaining(before));
  expect((await readStoredRun(disk, id)).images).toHaveLength(24);
});
