import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { expectPage } from '../support/expect-page.ts';
import { filterscope } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const newFolder = temporaryFolders();
const SHALLOW = ['--layers', 'block1_conv1', '--grids', 'none'];
let smallWeights: string;
beforeAll(async () => {
  smallWeights = await writeSmallWeights(await newFolder());
});
const analyze = (dataset: string, output: string, ...more: string[]) =>
  ['analyze', dataset, '-o', output, '--weights', smallWeights, ...SHALLOW].concat(more);

test.concurrent('long names do not make tables wider than a page', async () => {
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

test.concurrent('control characters in a name are shown as escapes', async () => {
  const [dataset, output] = [await newFolder(), await newFolder()];
  await writePhotos(dataset, 1, () => 'red \u001b[31m alert.jpg');
  await filterscope(analyze(dataset, output));
  const { stdout } = await filterscope(['images', 'latest', '-o', output]);
  expect(stdout).toContain('red \\u001b[31m alert.jpg');
  expect(stdout).not.toContain('\u001b[31m');
});
