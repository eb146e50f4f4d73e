import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { ComparisonRow } from '@filterscope/statistics/comparison';
import type { Summary } from '../support/answers.ts';
import { expectPage } from '../support/expect-page.ts';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { sharedData } from '../support/shared-data.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { readStoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// Runs of the same images under two fits, of other images, and of renamed copies; every number is worked out again from the
// stored readings, image by image.

const PHOTOS = 7;
const newFolder = temporaryFolders();
let output: string;
let weights: string;
let photos: string;
const runs: Record<'crop' | 'stretch' | 'others' | 'copies' | 'bare', string> = {
  crop: '',
  stretch: '',
  others: '',
  copies: '',
  bare: '',
};

type Answer = ComparisonRow & {
  readonly samples: string;
  readonly imagesA: number;
  readonly imagesB: number;
  readonly family: string;
  readonly synthetic: boolean;
};

const analyze = async (dataset: string, ...more: string[]) => {
  const args = ['analyze', dataset, '-o', output, '--weights', weights, '--grids', 'none'];
  return (await askJson<Summary>([...args, '--layers', '..block1_conv2', ...more])).run;
};
const compare = (...args: string[]) => askJson<Answer[]>(['compare', ...args, '-o', output]);
const refusal = async (...args: string[]) => {
  const { code, stderr, stdout } = await filterscope(['compare', ...args, '-o', output]);
  expect(stdout).toBe('');
  return { code, stderr };
};

beforeAll(async () => {
  output = await newFolder();
  weights = await writeSmallWeights(await newFolder());
  photos = await newFolder();
  const [others, copies] = [await newFolder(), await newFolder()];
  const keys = await writePhotos(photos, PHOTOS);
  await writePhotos(others, 5, (i) => `${i}.png`);
  await mkdir(join(copies, 'copies'));
  for (const [i, key] of keys.entries()) await copyFile(join(photos, key), join(copies, `copies/${i}.jpg`));
  runs.crop = await analyze(photos);
  runs.stretch = await analyze(photos, '--fit', 'stretch', '--chunk-size', '2');
  runs.others = await analyze(others);
  runs.copies = await analyze(copies, '--fit', 'stretch');
  runs.bare = await analyze(photos, '--fit', 'stretch', '--readings', 'none', '--layers', 'block1_conv1');
});

/** Zeros of each image by layer, in the order of the manifest. */
async function zerosOf(run: string): Promise<Record<string, Uint16Array>[]> {
  const { readings } = await readStoredRun(output, run);
  return readings.map((row) =>
    Object.fromEntries(
      ['block1_conv1', 'block1_conv2'].map((layer) => [layer, row[`${layer}_zeros`] as Uint16Array]),
    ),
  );
}

const POSITIONS = 224 * 224;
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const spread = (values: readonly number[]) =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
const close = (value: number) => expect.closeTo(value, 9) as number;
const blankShare = (zeros: Uint16Array) => zeros.filter((count) => count === POSITIONS).length / zeros.length;
const zeroShare = (zeros: Uint16Array) => mean([...zeros]) / POSITIONS;

test('fields, in order', async () => {
  const rows = await compare(runs.crop, runs.stretch);
  const fields =
    'layer filter a b difference low high adjustedP change zeroShareA zeroShareB zeroShareDifference zeroShareLow zeroShareHigh zeroShareAdjustedP samples imagesA imagesB family synthetic';
  expect(Object.keys(rows[2])).toEqual(fields.split(' '));
  expect(Object.keys(rows[0])).toEqual(fields.replace('filter ', '').split(' '));
  expect(rows.map(({ layer, filter }) => (filter === undefined ? layer : `${layer}/${filter}`))).toEqual([
    'block1_conv1',
    'block1_conv2',
    ...['block1_conv1', 'block1_conv2'].flatMap((layer) =>
      Array.from({ length: 64 }, (_, i) => `${layer}/${i}`),
    ),
  ]);
  expect(new Set(rows.map(({ family }) => family))).toEqual(new Set(['2 layers', '128 filters']));
  expect(rows.every(({ synthetic }) => synthetic)).toBe(true);
});

test('the same images under two fits are paired, in chunks of any size', async () => {
  const rows = await compare(runs.crop, runs.stretch);
  const [inA, inB] = [await zerosOf(runs.crop), await zerosOf(runs.stretch)];
  expect(inA).toHaveLength(PHOTOS);
  for (const { layer, filter, ...row } of rows) {
    const of = (zeros: Record<string, Uint16Array>[]) =>
      zeros.map((image) => (filter === undefined ? image[layer] : image[layer].subarray(filter, filter + 1)));
    const [a, b] = [of(inA), of(inB)];
    const differences = b.map((zeros, i) => zeroShare(zeros) - zeroShare(a[i]));
    expect(row).toMatchObject({
      a: close(mean(a.map(blankShare))),
      b: close(mean(b.map(blankShare))),
      difference: close(mean(b.map(blankShare)) - mean(a.map(blankShare))),
      zeroShareA: close(mean(a.map(zeroShare))),
      zeroShareB: close(mean(b.map(zeroShare))),
      zeroShareDifference: close(mean(differences)),
      samples: 'paired',
      imagesA: PHOTOS,
      imagesB: PHOTOS,
    });
    // Student's 2.446912 with 6 degrees of freedom
    const half = (2.4469118511449692 * spread(differences)) / Math.sqrt(PHOTOS);
    if (half > 0) expect(row.zeroShareHigh).toBeCloseTo(mean(differences) + half, 7);
  }
  const moved = rows.filter((row) => row.filter !== undefined && row.zeroShareDifference !== 0);
  expect(moved.length).toBeGreaterThan(64);
});

test('other images are an independent sample', async () => {
  const rows = await compare(runs.crop, runs.others);
  const [inA, inB] = [await zerosOf(runs.crop), await zerosOf(runs.others)];
  for (const row of rows.filter(({ filter }) => filter === undefined)) {
    const [a, b] = [inA, inB].map((zeros) => zeros.map((image) => zeroShare(image[row.layer])));
    expect(row).toMatchObject({
      zeroShareA: close(mean(a)),
      zeroShareDifference: close(mean(b) - mean(a)),
      samples: 'independent',
      imagesA: PHOTOS,
      imagesB: 5,
    });
    const error = Math.hypot(spread(a) / Math.sqrt(a.length), spread(b) / Math.sqrt(b.length));
    expect(row.zeroShareHigh! - row.zeroShareLow!).toBeGreaterThan(2 * 2.2281 * error); // at most 10 degrees of freedom
    expect(row.zeroShareHigh! - row.zeroShareLow!).toBeLessThan(2 * 2.7765 * error); // at least 4
  }
  expect(rows[100]).toMatchObject({ samples: 'independent', family: '128 filters' });
});

test('renamed copies are the same images, found by their content', async () => {
  const named = await compare(runs.crop, runs.stretch);
  expect(await compare(runs.crop, runs.copies)).toEqual(named);
  expect(await compare(runs.crop, runs.copies, '--pairs', 'all')).toEqual(named);
});

test('identical images are paired once where they count once', async () => {
  const dataset = await newFolder();
  const keys = await writePhotos(dataset, 4);
  for (const copy of ['x', 'y']) {
    await mkdir(join(dataset, copy));
    for (const [i, key] of keys.entries())
      await copyFile(join(dataset, key), join(dataset, `${copy}/${i}.jpg`));
  }
  const twoFits = async (...more: string[]) =>
    compare(await analyze(dataset, ...more), await analyze(dataset, '--fit', 'stretch', ...more));
  const [each, once] = [await twoFits(), await twoFits('--count-duplicates', 'once')];
  expect([each[0].imagesA, once[0].imagesA]).toEqual([12, 4]);
  expect(once[1].zeroShareDifference).toBeCloseTo(each[1].zeroShareDifference, 12);
});

test('--pairs takes the first images of the manifest', async () => {
  expect(await compare(runs.crop, runs.stretch, '--pairs', 'all')).toEqual(
    await compare(runs.crop, runs.stretch),
  );
  const rows = await compare(runs.crop, runs.stretch, '--pairs', '3');
  const first = (await zerosOf(runs.crop)).slice(0, 3);
  expect(rows[1]).toMatchObject({
    imagesA: 3,
    zeroShareA: close(mean(first.map(({ block1_conv2: zeros }) => zeroShare(zeros)))),
  });
  const { stdout } = await filterscope(['compare', runs.crop, runs.stretch, '--pairs', '3', '-o', output]);
  expect(stdout).toContain('Paired: the same 3 images');
  expect(stdout).toContain("the first ones of A's manifest");
});

test('without readings there is nothing to pair; on request the runs are two samples', async () => {
  const { code, stderr } = await refusal(runs.crop, runs.bare);
  expect(code).toBe(2);
  expect(stderr).toContain('kept no readings');
  const rows = await compare(runs.crop, runs.bare, '--pairs', 'none');
  expect(rows).toHaveLength(1 + 64);
  expect(rows[0]).toMatchObject({ layer: 'block1_conv1', samples: 'independent', family: '1 layer' });
});

describe.concurrent('what cannot be compared is refused with the reason', () => {
  test('a run with itself', async () => {
    const { code, stderr } = await refusal(runs.crop, runs.crop);
    expect([code, stderr]).toEqual([2, expect.stringContaining('the same run as itself')]);
  });
  test('a layer that only one has', async () => {
    const { code, stderr } = await refusal(runs.crop, runs.bare, '--layer', 'block1_conv2');
    expect([code, stderr]).toEqual([2, expect.stringContaining('both have block1_conv1')]);
  });
  test('runs without a common layer', async () => {
    const elsewhere = await newFolder();
    const args = ['analyze', photos, '-o', elsewhere, '--weights', weights, '--grids', 'none'];
    const { run } = await askJson<Summary>([...args, '--layers', 'block1_conv2']);
    const { code, stderr } = await refusal(runs.bare, run, '--output-b', elsewhere);
    expect([code, stderr]).toEqual([2, expect.stringContaining('no layer in common')]);
  });
  test('a run that is not there', async () => {
    const { code, stderr } = await refusal(runs.crop, 'fffff');
    expect([code, stderr]).toEqual([4, expect.stringContaining('no run "fffff"')]);
  });
});

test('a person gets a page with a verdict', async () => {
  for (const pair of [
    [runs.crop, runs.stretch],
    [runs.crop, runs.others],
  ]) {
    const { stdout, code } = await filterscope(['compare', ...pair, '-o', output]);
    expect(code).toBe(0);
    expectPage(stdout);
    expect(stdout).toContain('SYNTHETIC WEIGHTS');
    expect(stdout).toMatch(/Of all that is called a difference, at most 5 %/);
  }
});

const KERAS = 'weights/vgg16-keras-blocks1-2.safetensors';
const TORCHVISION = 'weights/vgg16-torchvision-blocks1-2.safetensors';
const real = sharedData(KERAS) && sharedData(TORCHVISION);

test.skipIf(!real)(
  'real weights of two flavours: layers only, and torchvision zeroes more of block1_conv2',
  async () => {
    const folder = new URL('../../../shared/data/', import.meta.url).pathname;
    const args = ['--layers', '..block1_conv2'];
    const run = async (file: string) =>
      (
        await askJson<Summary>([
          'analyze',
          photos,
          '-o',
          output,
          '--weights',
          join(folder, file),
          '--grids',
          'none',
          ...args,
        ])
      ).run;
    const [a, b] = [await run(KERAS), await run(TORCHVISION)];
    const rows = await compare(a, b);
    expect(rows.map(({ layer, filter }) => [layer, filter])).toEqual([
      ['block1_conv1', undefined],
      ['block1_conv2', undefined],
    ]);
    // 31.36 % and 53.71 % are published
    expect(rows[1].zeroShareLow).toBeGreaterThan(0.1);
    expect(rows[1].zeroShareAdjustedP).toBeLessThan(0.001);
    const { stdout } = await filterscope(['compare', a, b, '-o', output]);
    expect(stdout).toContain('Filters are not compared');
    const lineage = await compare(a, b, '--same-lineage');
    expect(lineage).toHaveLength(2 + 128);
  },
);
