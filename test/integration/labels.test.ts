import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { ImageAnswer } from '../support/answers.ts';
import { askJson, filterscope, type Finished } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// Photographs in folders that say one thing, and a labels file that says another.

const newFolder = temporaryFolders();
const LABELS: readonly (readonly [string, string])[] = [
  ['cat/photo 0.jpg', 'tame'],
  ['cat/photo 0.jpg', 'indoor, at home'],
  ['dog/photo 1.jpg', 'tame'],
  ['flower/photo 2.jpg', 'wild'],
  ['cat/photo 3.jpg', 'indoor, at home'],
  ['gone.jpg', 'wild'],
];
let dataset: string;
let output: string;
let weights: string;
let labels: string;
let finished: Finished;
beforeAll(async () => {
  dataset = await newFolder();
  output = await newFolder();
  weights = await writeSmallWeights(await newFolder());
  await writePhotos(dataset, 5);
  labels = join(await newFolder(), 'labels.csv');
  await writeLabels(labels, LABELS);
  finished = await filterscope([...analyze(output), '--labels', labels]);
});

async function writeLabels(file: string, pairs: typeof LABELS): Promise<void> {
  const lines = pairs.map(([image, name]) => `"${name}",train,${image}\r\n`);
  await writeDated(file, `\uFEFFclass,split,image\r\n${lines.join('')}`);
}

const analyze = (folder: string) => {
  const settings = ['--weights', weights, '--layers', 'block1_conv1', '--grids', 'none'];
  return ['analyze', dataset, '-o', folder, ...settings];
};
const ask = <Answer>(...args: string[]) => askJson<Answer>([...args, '-o', output]);

test('says what came of them', () => {
  expect(finished.code).toBe(0);
  expect(finished.stderr).toContain(
    'Classes by labels.csv: 4 of 5 files have a class; 1 of its lines are of images that are not in this run.',
  );
});

test('an image has its labels for classes, not its folder', async () => {
  const images = await ask<ImageAnswer[]>('images', 'latest');
  expect(Object.fromEntries(images.map((row) => [row.image, row.class]))).toEqual({
    'cat/photo 0.jpg': 'indoor, at home|tame',
    'dog/photo 1.jpg': 'tame',
    'flower/photo 2.jpg': 'wild',
    'cat/photo 3.jpg': 'indoor, at home',
    'dog/photo 4.jpg': null,
  });
});

test('each class counts all of its images', async () => {
  const filter = await ask<{ classes: object[] }>('filter', 'latest', 'block1_conv1/17');
  expect(filter.classes).toMatchObject([
    { class: 'indoor, at home', images: 2 },
    { class: 'tame', images: 2 },
    { class: 'wild', images: 1 },
  ]);
  for (const [name, images] of [
    ['tame', 2],
    ['wild', 1],
  ] as const) {
    const rows = await ask<{ images: number; blank: number }[]>('filters', 'latest', '--class', name);
    for (const row of rows) expect(row.images).toBe(images);
    const { classes } = await ask<{ classes: { class: string; blank: number }[] }>(
      'filter',
      'latest',
      'block1_conv1/17',
    );
    expect(classes.find((row) => row.class === name)?.blank).toBe(rows[17].blank);
  }
  const { code, stderr } = await filterscope(['filters', 'latest', '-o', output, '--class', 'cat']);
  expect(stderr).toContain('its classes are indoor, at home, tame, wild');
  expect(code).toBe(4);
});

test('SQL counts an image in each of its classes', async () => {
  const names = "SELECT unnest(string_split(class, '|')) AS name FROM images";
  const sql = `SELECT name, count(*) AS images FROM (${names}) GROUP BY name ORDER BY name`;
  expect(await ask('query', 'latest', sql)).toEqual([
    { name: 'indoor, at home', images: 2 },
    { name: 'tame', images: 2 },
    { name: 'wild', images: 1 },
  ]);
  expect(await ask('query', 'latest', 'SELECT labels FROM runs')).toEqual([{ labels: 'labels.csv' }]);
});

test('of a hundred classes a person sees forty, the rates at both ends, and --json has them all', async () => {
  const many = join(await newFolder(), 'many.csv');
  const names = Array.from({ length: 100 }, (_, i) => `class ${i}`);
  const pairs = names.map((name, i) => [LABELS[i % 4][0], name] as const);
  await writeLabels(many, pairs);
  const folder = await newFolder();
  await askJson([...analyze(folder), '--labels', many]);
  const question = ['filter', 'latest', 'block1_conv1/17', '-o', folder];
  const { classes } = await askJson<{ classes: { class: string }[] }>(question);
  expect(classes.map((row) => row.class).toSorted()).toEqual(names.toSorted());
  const { stdout } = await filterscope(question);
  expect(stdout.match(/^class \d+ /gm)).toHaveLength(40);
  expect(stdout).toContain('60 classes lie between the first and the last 20: --json has them');
});

const runOf = async (...more: string[]) =>
  (await askJson<{ run: string }>([...analyze(await newFolder()), ...more])).run;

test('the run is another than without labels or with others, and the same with the same in another file', async () => {
  const [{ run }] = await ask<{ run: string }[]>('runs');
  expect(await runOf()).not.toBe(run);
  const other = join(await newFolder(), 'other.csv');
  await writeLabels(other, LABELS.toReversed());
  expect(await runOf('--labels', other)).toBe(run);
  await writeLabels(other, LABELS.slice(1));
  expect(await runOf('--labels', other)).not.toBe(run);
});

test.each([
  ['image,class\ncat/photo 0.jpg\n', 'labels.csv: Invalid Record Length: expect 2, got 1 on line 2'],
  ['image,class\nphoto 0.jpg,cat\n', 'none of its labels is of an image of the dataset'],
])('what is wrong with a file is said, and nothing is written', async (text, message) => {
  const folder = await newFolder();
  const file = join(await newFolder(), 'labels.csv');
  await writeDated(file, text);
  const { code, stderr } = await filterscope([...analyze(folder), '--labels', file]);
  expect(stderr).toContain(message);
  expect(code).toBe(2);
  expect(await filterscope(['runs', '-o', folder, '--json'])).toMatchObject({ stdout: '[]\n' });
  const missing = await filterscope([...analyze(folder), '--labels', join(folder, 'none.csv')]);
  expect(missing.stderr).toContain('there is no file');
  expect(missing.code).toBe(2);
});
