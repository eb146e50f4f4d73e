import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ImageAnswer, Summary } from '../support/answers.ts';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { commitsOf } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const newFolder = temporaryFolders();
const SHALLOW = ['--layers', 'block1_conv1', '--grids', 'none'];
let smallWeights: string;
beforeAll(async () => {
  smallWeights = await writeSmallWeights(await newFolder());
});
const analyze = (dataset: string, output: string, ...more: string[]) =>
  ['analyze', dataset, '-o', output, '--weights', smallWeights, ...SHALLOW].concat(more);

test.concurrent('ends with 0 where every image is ok, and --json is one array even without rows', async () => {
  const [dataset, output] = [await newFolder(), await newFolder()];
  await writePhotos(dataset, 2);
  const { code, stdout } = await filterscope(analyze(dataset, output));
  expect(code).toBe(0);
  expect(stdout).toContain('block1_conv1');
  expect(await askJson(['failures', 'latest', '-o', output])).toEqual([]);
  expect(await askJson(['runs', '-o', await newFolder()])).toEqual([]);
});

test.concurrent('an output inside the dataset is no part of it', async () => {
  const dataset = await newFolder();
  await writePhotos(dataset, 4);
  const output = join(dataset, 'filterscope-out');
  const first = await askJson<Summary>(analyze(dataset, output, '--grids', 'all'));
  expect(first).toMatchObject({ images: 4, ok: 4, output });
  const again = await askJson<Summary>(analyze(dataset, output, '--grids', 'all'));
  expect(again).toMatchObject({ run: first.run, images: 4 });
});

test.concurrent('the default output is filterscope-out in the current folder', async () => {
  const cwd = await newFolder();
  await writePhotos(join(cwd, 'photos'), 2);
  const settings = ['--weights', smallWeights, ...SHALLOW];
  const summary = await askJson<Summary>(['analyze', 'photos', ...settings], 0, { cwd });
  expect(summary.output).toBe(join(cwd, 'filterscope-out'));
  expect(await askJson(['runs'], 0, { cwd })).toMatchObject([{ run: summary.run }]);
});

const keysOf = async (output: string) =>
  (await askJson<ImageAnswer[]>(['images', 'latest', '-o', output])).map(({ image }) => image);

describe.concurrent('which images', () => {
  let dataset: string;
  let everything: string[];
  beforeAll(async () => {
    dataset = await newFolder();
    await writePhotos(dataset, 20, (i) => `${['cat', 'dog'][i % 2]}/${i}.${i % 5 === 0 ? 'png' : 'jpg'}`);
    await writeDated(join(dataset, 'notes.txt'), 'no picture');
    const output = await newFolder();
    await filterscope(analyze(dataset, output));
    everything = await keysOf(output);
  });

  test('--limit takes a beginning of the random order, and names that are no image are left out', async () => {
    const few = await newFolder();
    const summary = await askJson<Summary>(analyze(dataset, few, '--limit', '7'));
    expect(summary).toMatchObject({ images: 7, ok: 7, skipped: 0 });
    const order = everything.filter((key) => key !== 'notes.txt');
    expect(await keysOf(few)).toEqual(order.slice(0, 7));
    expect(order).not.toEqual(order.toSorted());
  });

  test.each([
    ['*.png', (key: string) => key.endsWith('.png')],
    ['cat/**', (key: string) => key.startsWith('cat/')],
    ['{cat,dog}/1*.jpg', (key: string) => /^(cat|dog)\/1.*\.jpg$/.test(key)],
  ])('--include %s', async (glob, matches) => {
    const some = await newFolder();
    await filterscope(analyze(dataset, some, '--include', glob));
    const expected = everything.filter(matches);
    expect(await keysOf(some)).toEqual(expected);
    expect(expected.length).toBeGreaterThan(2);
  });
});

describe.concurrent('--max-failures', () => {
  let dataset: string;
  beforeAll(async () => {
    dataset = await newFolder();
    await writePhotos(dataset, 15);
    for (let i = 0; i < 5; i++) await writeDated(join(dataset, `broken ${i}.jpg`), `no picture ${i}`);
  });

  test.each(['2', '10%'])('%s: gives up, is failed, and goes on without a limit', async (limit) => {
    const output = await newFolder();
    const stopped = await filterscope(
      analyze(dataset, output, '--max-failures', limit, '--chunk-size', '2', '--json'),
    );
    expect(stopped.stderr).toContain('more than --max-failures allows (2)');
    expect(stopped.stdout).toBe('');
    expect(stopped.code).toBe(3);
    const status = await askJson<Summary>(['status', 'latest', '-o', output]);
    expect(status).toMatchObject({ state: 'failed' });
    expect(status.failed).toBeLessThanOrEqual(2);
    expect(await askJson(['runs', '-o', output])).toMatchObject([{ state: 'failed' }]);

    const before = await commitsOf(output, status.run);
    const summary = await askJson<Summary>(analyze(dataset, output), 3);
    expect(summary).toMatchObject({ run: status.run, state: 'complete', ok: 15, failed: 5 });
    expect(await askJson(['status', 'latest', '-o', output])).toMatchObject({ state: 'complete' });
    const after = await commitsOf(output, status.run);
    expect(after).toEqual(expect.arrayContaining(before));
  });

  test('5: as many failures as allowed are no reason to give up', async () => {
    const summary = await askJson<Summary>(analyze(dataset, await newFolder(), '--max-failures', '5'), 3);
    expect(summary).toMatchObject({ state: 'complete', failed: 5 });
  });
});

test.concurrent('a picture that was replaced makes a new run, and is not taken for the old one', async () => {
  const [dataset, output] = [await newFolder(), await newFolder()];
  await writePhotos(dataset, 3);
  const first = await askJson<Summary>(analyze(dataset, output));
  const [replaced] = await writePhotos(dataset, 1, () => 'cat/photo 0.jpg');
  await writeDated(join(dataset, replaced), await sharp(join(dataset, replaced)).png().toBuffer());
  const second = await askJson<Summary>(analyze(dataset, output));
  expect(second.run).not.toBe(first.run);
  expect(await askJson<unknown[]>(['runs', '-o', output])).toMatchObject([
    { run: second.run },
    { run: first.run },
  ]);
  const drawn = await filterscope(['image', first.run, replaced, '-o', output]);
  expect(drawn.stderr).toContain('it has changed since the run');
  expect(drawn.code).toBe(2);
});
