import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { gridLayout, gridSize } from '@filterscope/imaging/grid-layout';
import { readGridMetadata } from '@filterscope/imaging/grid-metadata';
import { gridKey } from '@filterscope/runs/run-keys';
import { LAYERS } from '@filterscope/vgg16/layers';
import type { ImageAnswer, OneImageAnswer, Summary, TopImageAnswer } from '../support/answers.ts';
import { expectPage } from '../support/expect-page.ts';
import { folderContents } from '../support/folder-contents.ts';
import { askJson, filterscope, type Finished } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { commitsOf, readStoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// A folder with classes, a broken image and files that are none, through the whole network, and every question asked of it.

const PHOTOS = 6;
const CHUNK_SIZE = 8; // as few images as these are cut by default
const newFolder = temporaryFolders();
let dataset: string;
let output: string;
let finished: Finished;
let summary: Summary;
beforeAll(async () => {
  dataset = await newFolder();
  output = await newFolder();
  await writePhotos(dataset, PHOTOS);
  await writeDated(join(dataset, 'cat/broken.jpg'), 'no picture');
  await writeDated(join(dataset, 'cat/empty.png'), '');
  await writeDated(join(dataset, 'notes.txt'), 'no picture either');
  await writeDated(join(dataset, 'Thumbs.db'), 'nor this');
  finished = await filterscope([...analyze(output), '--json']);
  summary = JSON.parse(finished.stdout) as Summary;
});

const analyze = (folder: string) => [
  'analyze',
  dataset,
  '-o',
  folder,
  '--weights',
  'synthetic',
  '--grids',
  '2',
];
const ask = <Answer>(...args: string[]) => askJson<Answer>([...args, '-o', output]);
const words = (text: string) => text.split(' ');
const pixels = async (file: string) => sharp(file).raw().toBuffer();

test('ends with 3, for images failed; data on standard output, all else on standard error', () => {
  expect(finished.code).toBe(3);
  expect(Object.keys(summary)).toEqual(
    words('run state images ok failed skipped reused duplicates output durationSeconds synthetic'),
  );
  expect(summary).toMatchObject({
    state: 'complete',
    images: PHOTOS + 4,
    ok: PHOTOS,
    failed: 2,
    skipped: 2,
    output,
    synthetic: true,
  });
  expect(summary.run).toMatch(/^[0-9a-f]{64}$/);
  expect(summary.durationSeconds).toBeGreaterThan(0);
  expect(finished.stderr).toContain('Writes about');
  expect(finished.stderr).toContain('SYNTHETIC WEIGHTS');
});

test('every row of the manifest ends in exactly one row, with a code where it is not ok', async () => {
  const { images } = await readStoredRun(output, summary.run);
  expect(images.map(({ row }) => row)).toEqual(Array.from({ length: PHOTOS + 4 }, (_, i) => i));
  const codes = Object.fromEntries(images.map(({ image, status, code }) => [image, [status, code]]));
  expect(codes).toMatchObject({
    'cat/photo 0.jpg': ['ok', null],
    'cat/broken.jpg': ['failed', 'not-an-image'],
    'cat/empty.png': ['failed', 'empty'],
    'notes.txt': ['skipped', 'not-image-name'],
    'Thumbs.db': ['skipped', 'not-image-name'],
  });
});

describe.concurrent('questions', () => {
  test('status', async () => {
    const status = await ask<Record<string, unknown>>('status', 'latest');
    expect(Object.keys(status)).toEqual(
      words(
        'run state images ok failed skipped stoppedAt reused duplicates chunks committed imagesPerSecond etaSeconds engine synthetic crops',
      ),
    );
    expect(status).toMatchObject({
      run: summary.run,
      state: 'complete',
      images: PHOTOS + 4,
      ok: PHOTOS,
      failed: 2,
      skipped: 2,
      chunks: 1,
      committed: 1,
      etaSeconds: null,
      engine: expect.stringMatching(/^onnx-cpu \d/) as string,
      synthetic: true,
    });
    expect(status['imagesPerSecond']).toBeGreaterThan(0);
  });

  test('runs', async () => {
    const runs = await ask<Record<string, unknown>[]>('runs');
    expect(runs).toEqual([
      {
        run: summary.run,
        dataset,
        weights: 'synthetic',
        synthetic: true,
        state: 'complete',
        images: PHOTOS + 4,
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/) as string,
      },
    ]);
    expect(Object.keys(runs[0])).toEqual(words('run dataset weights synthetic state images createdAt'));
  });

  test('layers', async () => {
    const layers = await ask<Record<string, number>[]>('layers', 'latest');
    expect(layers.map(({ layer, filters }) => [layer, filters])).toEqual(
      LAYERS.map(({ layer, filters }) => [layer, filters]),
    );
    for (const row of layers) {
      expect(Object.keys(row)).toEqual(
        words(
          'layer filters positions images blankRate blankRateLow blankRateHigh zeroShare zeroShareLow zeroShareHigh dead deadBound mostlyZero moreImages synthetic',
        ),
      );
      expect(row['images']).toBe(PHOTOS);
      expect(row['blankRateLow']).toBeLessThanOrEqual(row['blankRate']);
      expect(row['blankRateHigh']).toBeGreaterThanOrEqual(row['blankRate']);
      expect(row['zeroShareLow']).toBeLessThan(row['zeroShare']);
      expect(row['zeroShareHigh']).toBeGreaterThan(row['zeroShare']);
      expect(row['deadBound']).toBeCloseTo(1 - 0.05 ** (1 / PHOTOS), 12);
      expect(row['synthetic']).toBe(true);
    }
  });

  test('filters, sorted and of one layer', async () => {
    const all = await ask<Record<string, number>[]>('filters', 'latest');
    expect(all).toHaveLength(4224);
    expect(Object.keys(all[0])).toEqual(
      words(
        'layer filter images blank blankRate blankRateLow blankRateHigh zeroShare zeroShareLow zeroShareHigh maxActivation meanMax dead deadBound moreImages synthetic',
      ),
    );
    const layer = ['--layer', 'block5_conv3'];
    for (const [sort, field] of [
      ['blank', 'blankRate'],
      ['zeros', 'zeroShare'],
      ['max', 'maxActivation'],
    ]) {
      const rows = await ask<Record<string, number>[]>('filters', 'latest', ...layer, '--sort', sort);
      expect(rows).toHaveLength(512);
      const values = rows.map((row) => row[field]);
      expect(values).toEqual(values.toSorted((a, b) => b - a));
      expect(new Set(values).size).toBeGreaterThan(1);
    }
  });

  test('filters of one class, which counts its images alone', async () => {
    const ofClass = async (name: string) =>
      ask<Record<string, number>[]>('filters', 'latest', '--layer', 'block3_conv1', '--class', name);
    const [cats, dogs, flowers] = [await ofClass('cat'), await ofClass('dog'), await ofClass('flower')];
    const all = await ask<Record<string, number>[]>('filters', 'latest', '--layer', 'block3_conv1');
    for (const [i, row] of all.entries()) {
      expect(cats[i]['images']).toBe(2);
      expect(cats[i]['blank'] + dogs[i]['blank'] + flowers[i]['blank']).toBe(row['blank']);
      const shares = [cats[i], dogs[i], flowers[i]].map((part) => part['zeroShare']);
      expect(shares.reduce((a, b) => a + b) / 3).toBeCloseTo(row['zeroShare'], 10);
    }
    const { code, stderr } = await filterscope(['filters', 'latest', '-o', output, '--class', 'horse']);
    expect(stderr).toContain('its classes are cat, dog, flower');
    expect(code).toBe(4);
  });

  test('one filter in full agrees with its row', async () => {
    const filter = await ask<Record<string, unknown>>('filter', 'latest', 'block4_conv2/17');
    const rows = await ask<Record<string, unknown>[]>('filters', 'latest', '--layer', 'block4_conv2');
    expect(filter).toMatchObject(rows[17]);
    expect(filter['classes']).toMatchObject([
      { class: 'cat', images: 2 },
      { class: 'dog', images: 2 },
      { class: 'flower', images: 2 },
    ]);
    const histogram = filter['histogram'] as { images: number }[];
    expect(histogram.reduce((sum, { images }) => sum + images, 0)).toBe(PHOTOS);

    const top = filter['topImages'] as TopImageAnswer[];
    expect(top).toHaveLength(PHOTOS - Number(filter['blank']));
    for (const { position, x, y, max, field, picture, missing } of top) {
      expect([x, y]).toEqual([position % 28, Math.floor(position / 28)]);
      expect(max).toBeLessThanOrEqual(Number(filter['maxActivation']));
      expect(field.left + field.width).toBeLessThanOrEqual(224);
      expect(field.top + field.height).toBeLessThanOrEqual(224);
      expect(missing).toBeNull();
      expect(await sharp(picture!).metadata()).toMatchObject({ width: 224, height: 224, format: 'webp' });
    }
  });

  test('images and failures', async () => {
    const images = await ask<ImageAnswer[]>('images', 'latest');
    expect(images).toHaveLength(PHOTOS + 4);
    for (const row of images) {
      expect(Object.keys(row)).toEqual(words('image class status code message width height blankFilters'));
    }
    expect(images.find(({ image }) => image === 'dog/photo 1.jpg')).toMatchObject({
      class: 'dog',
      status: 'ok',
      width: 96,
      height: 80,
    });
    const layers = LAYERS.map(({ layer }) => layer).toSorted();
    const { blankFilters } = images.find(({ status }) => status === 'ok')!;
    expect(Object.keys(blankFilters!).toSorted()).toEqual(layers);
    const failures = await ask<ImageAnswer[]>('failures', 'latest');
    expect(failures).toEqual(images.filter(({ status }) => status !== 'ok'));
    expect(failures).toHaveLength(4);
    for (const { message } of failures) expect(message).toMatch(/\w+ \w+/);
  });

  test('image: stored grids are used, others are drawn on the spot, each a layer near-square', async () => {
    const images = await ask<ImageAnswer[]>('images', 'latest');
    const withGrids = images.slice(0, 8).filter(({ status }) => status === 'ok');
    const grids = new Map<string, string[]>();
    for (const { image } of [withGrids[0], withGrids.at(-1)!]) {
      const answer = await ask<OneImageAnswer>('image', 'latest', image);
      expect(Object.keys(answer.grids)).toEqual(LAYERS.map(({ layer }) => layer));
      grids.set(image, Object.values(answer.grids));
      for (const { layer, filters, size } of LAYERS) {
        const { width, height, format } = await sharp(answer.grids[layer]).metadata();
        expect({ width, height }, layer).toEqual(gridSize(gridLayout(filters), size));
        expect(format).toBe('jpeg');
        const metadata = await readGridMetadata(await readFile(answer.grids[layer]));
        expect(metadata).toMatchObject({ layer, image, run: summary.run, style: 'filter' });
      }
    }
    const [stored, drawn] = [...grids.values()];
    expect(stored.every((path) => path.includes('/chunks/'))).toBe(true);
    expect(drawn.every((path) => path.includes('/drawn/'))).toBe(true);
    // Asked again, nothing is drawn again.
    const before = await stat(drawn[0]);
    const again = await filterscope(['image', 'latest', withGrids.at(-1)!.image, '-o', output]);
    expect(again.code).toBe(0);
    expect(again.stderr).toBe('');
    expect((await stat(drawn[0])).mtimeMs).toBe(before.mtimeMs);
  });

  test('a grid drawn on the spot is the one that the run would have stored', async () => {
    const { grids } = await readStoredRun(output, summary.run);
    const all = await newFolder();
    await filterscope([...analyze(all), '--grids', 'all']);
    expect(Object.keys(grids)).toHaveLength(2 * 13);
    const run = (await askJson<{ run: string }[]>(['runs', '-o', all]))[0].run;
    const stored = await readStoredRun(all, run);
    expect(Object.keys(stored.grids)).toHaveLength(PHOTOS * 13);
    const last = stored.images.findLast(({ status }) => status === 'ok')!;
    const row = Number(last['row']);
    const { folder } = (await commitsOf(all, run)).findLast(({ chunk }) => chunk * CHUNK_SIZE <= row)!;
    const answer = await ask<OneImageAnswer>('image', 'latest', String(last['image']));
    for (const layer of ['block1_conv1', 'block5_conv3']) {
      const expected = await pixels(join(all, gridKey(folder, row, layer, 'jpg')));
      expect((await pixels(answer.grids[layer])).equals(expected), layer).toBe(true);
    }
  });

  test('an image that failed has no grids and an image that is not there is not found', async () => {
    const answer = await ask<Record<string, unknown>>('image', 'latest', 'cat/broken.jpg');
    expect(answer).toMatchObject({ status: 'failed', code: 'not-an-image', grids: {} });
    const { code, stderr } = await filterscope(['image', 'latest', 'cat/none.jpg', '-o', output]);
    expect(stderr).toContain('no image "cat/none.jpg"');
    expect(code).toBe(4);
  });
});

test('started again it says at once that all is done, and writes nothing', async () => {
  const before = await folderContents(output);
  const again = await filterscope([...analyze(output), '--json']);
  expect(again.stderr).toContain('complete already');
  expect(again.stderr).not.toContain('Writes about');
  expect(again.code).toBe(3);
  const { durationSeconds, ...same } = JSON.parse(again.stdout) as Summary;
  expect(durationSeconds).toBeLessThan(10);
  expect(summary).toMatchObject(same);
  expect(await folderContents(output)).toEqual(before);
});

test('tables fit 100 columns, the synthetic ones say so', async () => {
  for (const [command, ...args] of [
    ['layers', 'latest'],
    ['filters', 'latest', '--sort', 'blank'],
    ['filter', 'latest', 'block5_conv3/17'],
    ['image', 'latest', 'cat/broken.jpg'],
    ['images', 'latest'],
    ['failures', 'latest'],
    ['status', 'latest'],
    ['runs'],
  ]) {
    const { code, stdout, stderr } = await filterscope([command, ...args, '-o', output]);
    expect(code, stderr).toBe(0);
    expectPage(stdout);
    if (command !== 'runs') expect(stdout.replaceAll('\n', ' '), command).toContain('SYNTHETIC WEIGHTS');
  }
});
