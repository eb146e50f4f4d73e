import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { gridLayout, gridSize } from '@filterscope/imaging/grid-layout';
import { readGridMetadata } from '@filterscope/imaging/grid-metadata';
import { LAYERS } from '@filterscope/vgg16/layers';
import { askJson, filterscope, type Finished } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { commitsOf, readStoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

interface Summary {
  readonly run: string;
  readonly state: string;
  readonly images: number;
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
  readonly output: string;
  readonly durationSeconds: number;
  readonly synthetic: boolean;
}
interface ImageAnswer {
  readonly image: string;
  readonly class: string | null;
  readonly status: string;
  readonly code: string | null;
  readonly message: string | null;
  readonly blankFilters: Record<string, number> | null;
}

const newFolder = temporaryFolders();
const SHALLOW = ['--layers', 'block1_conv1', '--grids', 'none'];
let smallWeights: string;
beforeAll(async () => {
  smallWeights = await writeSmallWeights(await newFolder());
});
const analyze = (dataset: string, output: string, ...more: string[]) => [
  'analyze',
  dataset,
  '-o',
  output,
  '--weights',
  smallWeights,
  ...SHALLOW,
  ...more,
];

describe('a folder with classes, a broken image and files that are none, through the whole network', () => {
  const PHOTOS = 6;
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
    finished = await filterscope([
      'analyze',
      dataset,
      '-o',
      output,
      '--weights',
      'synthetic',
      '--grids',
      '2',
      '--json',
    ]);
    summary = JSON.parse(finished.stdout) as Summary;
  });

  test('ends with 3, for images failed; data on standard output, all else on standard error', () => {
    expect(finished.code).toBe(3);
    expect(Object.keys(summary)).toEqual([
      'run',
      'state',
      'images',
      'ok',
      'failed',
      'skipped',
      'output',
      'durationSeconds',
      'synthetic',
    ]);
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
    expect(finished.stderr).toContain('It writes about');
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

  test('status', async () => {
    const status = await askJson<Record<string, unknown>>(['status', 'latest', '-o', output]);
    expect(Object.keys(status)).toEqual([
      'run',
      'state',
      'images',
      'ok',
      'failed',
      'skipped',
      'chunks',
      'committed',
      'imagesPerSecond',
      'etaSeconds',
      'engine',
      'synthetic',
    ]);
    expect(status).toMatchObject({
      run: summary.run,
      state: 'complete',
      images: PHOTOS + 4,
      ok: PHOTOS,
      failed: 2,
      skipped: 2,
      chunks: 2,
      committed: 2,
      etaSeconds: null,
      engine: expect.stringMatching(/^onnx-cpu \d/) as string,
      synthetic: true,
    });
    expect(status['imagesPerSecond']).toBeGreaterThan(0);
  });

  test('runs', async () => {
    const runs = await askJson<Record<string, unknown>[]>(['runs', '-o', output]);
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
    expect(Object.keys(runs[0])).toEqual([
      'run',
      'dataset',
      'weights',
      'synthetic',
      'state',
      'images',
      'createdAt',
    ]);
  });

  test('layers', async () => {
    const layers = await askJson<Record<string, number>[]>(['layers', 'latest', '-o', output]);
    expect(layers.map(({ layer, filters }) => [layer, filters])).toEqual(
      LAYERS.map(({ layer, filters }) => [layer, filters]),
    );
    for (const row of layers) {
      expect(Object.keys(row)).toEqual([
        'layer',
        'filters',
        'images',
        'blankRate',
        'blankRateLow',
        'blankRateHigh',
        'zeroShare',
        'zeroShareLow',
        'zeroShareHigh',
        'dead',
        'deadBound',
        'mostlyZero',
        'synthetic',
      ]);
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
    const all = await askJson<Record<string, number>[]>(['filters', 'latest', '-o', output]);
    expect(all).toHaveLength(4224);
    expect(Object.keys(all[0])).toEqual([
      'layer',
      'filter',
      'images',
      'blank',
      'blankRate',
      'blankRateLow',
      'blankRateHigh',
      'zeroShare',
      'zeroShareLow',
      'zeroShareHigh',
      'maxActivation',
      'meanMax',
      'dead',
      'deadBound',
      'synthetic',
    ]);
    const layer = ['--layer', 'block5_conv3'];
    for (const [sort, field] of [
      ['blank', 'blankRate'],
      ['zeros', 'zeroShare'],
      ['max', 'maxActivation'],
    ]) {
      const rows = await askJson<Record<string, number>[]>([
        'filters',
        'latest',
        '-o',
        output,
        ...layer,
        '--sort',
        sort,
      ]);
      expect(rows).toHaveLength(512);
      const values = rows.map((row) => row[field]);
      expect(values).toEqual(values.toSorted((a, b) => b - a));
      expect(new Set(values).size).toBeGreaterThan(1);
    }
  });

  test('filters of one class, which counts its images alone', async () => {
    const ofClass = async (name: string) =>
      askJson<Record<string, number>[]>([
        'filters',
        'latest',
        '-o',
        output,
        '--layer',
        'block3_conv1',
        '--class',
        name,
      ]);
    const [cats, dogs, flowers] = [await ofClass('cat'), await ofClass('dog'), await ofClass('flower')];
    const all = await askJson<Record<string, number>[]>([
      'filters',
      'latest',
      '-o',
      output,
      '--layer',
      'block3_conv1',
    ]);
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
    const filter = await askJson<Record<string, unknown>>([
      'filter',
      'latest',
      'block4_conv2/17',
      '-o',
      output,
    ]);
    const rows = await askJson<Record<string, unknown>[]>([
      'filters',
      'latest',
      '-o',
      output,
      '--layer',
      'block4_conv2',
    ]);
    expect(filter).toMatchObject(rows[17]);
    expect(filter['classes']).toMatchObject([
      { class: 'cat', images: 2 },
      { class: 'dog', images: 2 },
      { class: 'flower', images: 2 },
    ]);
    const histogram = filter['histogram'] as { images: number }[];
    expect(histogram.reduce((sum, { images }) => sum + images, 0)).toBe(PHOTOS);
  });

  test('images and failures', async () => {
    const images = await askJson<ImageAnswer[]>(['images', 'latest', '-o', output]);
    expect(images).toHaveLength(PHOTOS + 4);
    for (const row of images) {
      expect(Object.keys(row)).toEqual([
        'image',
        'class',
        'status',
        'code',
        'message',
        'width',
        'height',
        'blankFilters',
      ]);
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
    const failures = await askJson<ImageAnswer[]>(['failures', 'latest', '-o', output]);
    expect(failures).toEqual(images.filter(({ status }) => status !== 'ok'));
    expect(failures).toHaveLength(4);
    for (const { message } of failures) expect(message).toMatch(/\w+ \w+/);
  });

  test('image: stored grids are used, others are drawn on the spot, each a layer near-square', async () => {
    const images = await askJson<ImageAnswer[]>(['images', 'latest', '-o', output]);
    const withGrids = images.slice(0, 8).filter(({ status }) => status === 'ok');
    const grids = new Map<string, string[]>();
    for (const { image } of [withGrids[0], withGrids.at(-1)!]) {
      const answer = await askJson<{ grids: Record<string, string> }>([
        'image',
        'latest',
        image,
        '-o',
        output,
      ]);
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
    await filterscope(['analyze', dataset, '-o', all, '--weights', 'synthetic', '--grids', 'all']);
    expect(Object.keys(grids)).toHaveLength(2 * 13);
    const run = (await askJson<{ run: string }[]>(['runs', '-o', all]))[0].run;
    const stored = await readStoredRun(all, run);
    expect(Object.keys(stored.grids)).toHaveLength(PHOTOS * 13);
    const images = stored.images.filter(({ status }) => status === 'ok');
    const last = images.at(-1)!;
    const answer = await askJson<{ grids: Record<string, string> }>([
      ...['image', 'latest', String(last['image']), '-o', output],
    ]);
    for (const layer of ['block1_conv1', 'block5_conv3']) {
      const name = `${String(last['row']).padStart(7, '0')}/${layer}.jpg`;
      const [folder] = (await commitsOf(all, run)).slice(-1).map((commit) => commit.folder);
      const expected = await pixels(join(all, folder, 'grids', name));
      expect((await pixels(answer.grids[layer])).equals(expected), layer).toBe(true);
    }
  });

  test('an image that failed has no grids and an image that is not there is not found', async () => {
    const answer = await askJson<Record<string, unknown>>([
      'image',
      'latest',
      'cat/broken.jpg',
      '-o',
      output,
    ]);
    expect(answer).toMatchObject({ status: 'failed', code: 'not-an-image', grids: {} });
    const { code, stderr } = await filterscope(['image', 'latest', 'cat/none.jpg', '-o', output]);
    expect(stderr).toContain('no image "cat/none.jpg"');
    expect(code).toBe(4);
  });

  test('started again it says at once that all is done, and writes nothing', async () => {
    const before = await contents(output);
    const again = await filterscope([
      'analyze',
      dataset,
      '-o',
      output,
      '--weights',
      'synthetic',
      '--grids',
      '2',
      '--json',
    ]);
    expect(again.stderr).toContain('complete already');
    expect(again.stderr).not.toContain('It writes about');
    expect(again.code).toBe(3);
    const { durationSeconds, ...same } = JSON.parse(again.stdout) as Summary;
    expect(durationSeconds).toBeLessThan(10);
    expect(summary).toMatchObject(same);
    expect(await contents(output)).toEqual(before);
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
});

const pixels = async (file: string) => sharp(file).raw().toBuffer();

/** Every line fits a page; a line with the SYNTHETIC note or a file's name may be as long as it is. */
function expectPage(stdout: string): void {
  for (const line of stdout.split('\n')) {
    if (line.startsWith('SYNTHETIC')) continue;
    expect(Array.from(line).length, line).toBeLessThanOrEqual(100);
  }
}

/** Size and date of everything in a folder. */
async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const entries = names.map(async (name) => {
    const { size, mtimeMs } = await stat(join(folder, name));
    return [name, `${size} ${mtimeMs}`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

test('long names do not make tables wider than a page', async () => {
  const dataset = join(await newFolder(), 'a dataset with a name '.repeat(8).trim());
  const output = await newFolder();
  const deep = 'folder '.repeat(20).trim();
  await writePhotos(dataset, 3, (i) => `${deep}/${deep}/${i}.jpg`);
  await writeDated(join(dataset, `${deep}/${deep}/broken.jpg`), 'no picture');
  await writeDated(join(dataset, `${deep}/unsupported.svg`), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  expect((await filterscope(analyze(dataset, output))).code).toBe(3);
  for (const args of [
    ['layers', 'latest'],
    ['filter', 'latest', 'block1_conv1/17'],
    ['images', 'latest'],
    ['failures', 'latest'],
    ['runs'],
    ['doctor'],
  ]) {
    const { stdout } = await filterscope([...args, '-o', output]);
    expectPage(stdout);
  }
  const { stdout } = await filterscope(['images', 'latest', '-o', output]);
  expect(stdout).toMatch(/^….*\/2\.jpg {2}ok/m);
});

test('control characters in a name are shown as escapes', async () => {
  const [dataset, output] = [await newFolder(), await newFolder()];
  await writePhotos(dataset, 1, () => 'red \u001b[31m alert.jpg');
  await filterscope(analyze(dataset, output));
  const { stdout } = await filterscope(['images', 'latest', '-o', output]);
  expect(stdout).toContain('red \\u001b[31m alert.jpg');
  expect(stdout).not.toContain('\u001b[31m');
});

test('ends with 0 where every image is ok, and --json is one array even without rows', async () => {
  const [dataset, output] = [await newFolder(), await newFolder()];
  await writePhotos(dataset, 2);
  const { code, stdout } = await filterscope(analyze(dataset, output));
  expect(code).toBe(0);
  expect(stdout).toContain('block1_conv1');
  expect(await askJson(['failures', 'latest', '-o', output])).toEqual([]);
  expect(await askJson(['runs', '-o', await newFolder()])).toEqual([]);
});

test('an output inside the dataset is no part of it', async () => {
  const dataset = await newFolder();
  await writePhotos(dataset, 4);
  const output = join(dataset, 'filterscope-out');
  const first = await askJson<Summary>(analyze(dataset, output, '--grids', 'all'));
  expect(first).toMatchObject({ images: 4, ok: 4, output });
  const again = await askJson<Summary>(analyze(dataset, output, '--grids', 'all'));
  expect(again).toMatchObject({ run: first.run, images: 4 });
});

test('the default output is filterscope-out in the current folder', async () => {
  const cwd = await newFolder();
  await writePhotos(join(cwd, 'photos'), 2);
  const settings = ['--weights', smallWeights, ...SHALLOW];
  const summary = await askJson<Summary>(['analyze', 'photos', ...settings], 0, { cwd });
  expect(summary.output).toBe(join(cwd, 'filterscope-out'));
  expect(await askJson(['runs'], 0, { cwd })).toMatchObject([{ run: summary.run }]);
});

const keysOf = async (output: string) =>
  (await askJson<ImageAnswer[]>(['images', 'latest', '-o', output])).map(({ image }) => image);

describe('which images', () => {
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

describe('--max-failures', () => {
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

test('a picture that was replaced makes a new run, and is not taken for the old one', async () => {
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
