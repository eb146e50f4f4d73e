import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import type { ClassRow } from '@filterscope/results/class-separation';
import { expectPage } from '../support/expect-page.ts';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// Twenty photos, twenty plain areas and two pictures of no class, through the first layer: edges are all that tells them apart.

const EACH = 20;
const ALL = 2 * EACH + 2;
const newFolder = temporaryFolders();
let output: string;
let weights: string;
beforeAll(async () => {
  const dataset = await newFolder();
  output = await newFolder();
  weights = await writeSmallWeights(await newFolder());
  await writePhotos(dataset, EACH, (i) => `photos/${i}.png`);
  for (let i = 0; i < EACH + 2; i++) {
    const background = { r: 10 * i, g: 255 - 8 * i, b: 128 };
    const plain = sharp({ create: { width: 32, height: 32, channels: 3, background } });
    await writeDated(join(dataset, i < EACH ? `plain/${i}.png` : `${i}.png`), await plain.png().toBuffer());
  }
  await askJson(['analyze', dataset, ...options(output)]);
});

const options = (folder: string) => [
  '-o',
  folder,
  '--weights',
  weights,
  '--layers',
  '..block1_conv2',
  '--grids',
  'none',
];
const ask = <Answer>(...args: string[]) => askJson<Answer>([...args, '-o', output]);
const adjusted = async (method: string) =>
  (await ask<ClassRow[]>('classes', 'latest', '--adjust', method)).map(({ adjustedP }) => adjustedP);
interface FilterAnswer {
  readonly layer: string;
  readonly filter: number;
  readonly blank: number;
  readonly images: number;
}

test('counts are those of the class and of all images less the class', async () => {
  const rows = await ask<ClassRow[]>('classes', 'latest');
  expect(rows).toHaveLength(2 * 128);
  expect(Object.keys(rows[0])).toEqual(
    'class layer filter images blank blankRate blankRateLow blankRateHigh restImages restBlank restBlankRate difference low high adjustedP family synthetic'.split(
      ' ',
    ),
  );
  const all = await ask<FilterAnswer[]>('filters', 'latest');
  for (const name of ['photos', 'plain']) {
    const own = await ask<FilterAnswer[]>('filters', 'latest', '--class', name);
    for (const [i, { layer, filter, blank, images }] of own.entries()) {
      const row = rows.find((row) => row.class === name && row.layer === layer && row.filter === filter);
      expect(row).toMatchObject({ blank, images, restBlank: all[i].blank - blank, restImages: ALL - images });
      expect(row).toMatchObject({ family: '2 classes × 128 filters', synthetic: true });
    }
  }
});

test('some filter tells plain areas from the rest, and a person reads which', async () => {
  const [best] = await ask<ClassRow[]>('classes', 'latest', '--class', 'photos', '--layer', 'block1_conv1');
  expect(best).toMatchObject({ class: 'photos', layer: 'block1_conv1', family: '1 class × 64 filters' });
  expect(best.adjustedP).toBeLessThan(0.05);
  expect(Math.sign(best.low!)).toBe(Math.sign(best.high!));
  const { stdout } = await filterscope(['classes', 'latest', '-o', output]);
  expectPage(stdout);
  expect(stdout).toContain(`block1_conv1/${best.filter}`);
  expect(stdout).toMatch(/filters? tells? photos from the rest/);
  expect(stdout).toContain('over 2 classes × 128 filters');
});

test('Benjamini–Yekutieli finds no more', async () => {
  const [bh, by] = [await adjusted('bh'), await adjusted('by')];
  expect(by[0]).toBeGreaterThan(bh[0]);
  for (const [i, value] of bh.entries()) expect(by[i]).toBeGreaterThanOrEqual(value);
});

test('what cannot be told is refused with the reason', async () => {
  const unknown = await filterscope(['classes', 'latest', '-o', output, '--class', 'horses']);
  expect([unknown.code, unknown.stderr]).toEqual([
    4,
    expect.stringContaining('its classes are photos, plain'),
  ]);
  const layer = await filterscope(['classes', 'latest', '-o', output, '--layer', 'block5_conv3']);
  expect([layer.code, layer.stderr]).toEqual([
    2,
    expect.stringContaining('it measured block1_conv1, block1_conv2'),
  ]);
  for (const [key, code, sentence] of [
    ['only/a.png', 4, 'there is no rest to tell it from'],
    ['a.png', 4, 'it has no classes'],
  ] as const) {
    const [dataset, folder] = [await newFolder(), await newFolder()];
    await writePhotos(dataset, 1, () => key);
    await askJson(['analyze', dataset, ...options(folder)]);
    const { code: ended, stderr } = await filterscope(['classes', 'latest', '-o', folder]);
    expect([ended, stderr]).toEqual([code, expect.stringContaining(sentence)]);
  }
});
