import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { parse } from 'parse5';
import { beforeAll, describe, expect, test } from 'vitest';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { findProgram } from '../support/servers/find-program.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// A small run through the whole network, written up, and the report's numbers beside those that `layers` and `filters` answer.

const LARGEST_PAGE_BYTES = 3e6;
const newFolder = temporaryFolders();
const hostile = '<img src=x onerror=alert(1)>';

let folder: string;
let output: string;
let page: string;
let answer: { run: string; html: string; png: string; complete: boolean; synthetic: boolean };
beforeAll(async () => {
  const dataset = await newFolder();
  [output, folder] = [await newFolder(), await newFolder()];
  await writePhotos(dataset, 6, (i) => `${[`${hostile} cats`, 'dogs'][i % 2]}/photo ${i}.jpg`);
  await writeDated(join(dataset, `dogs/${hostile}.jpg`), 'no picture');
  const analyze = ['analyze', dataset, '-o', output, '--weights', 'synthetic', '--grids', 'none'];
  expect((await filterscope(analyze)).code).toBe(3);
  answer = await askJson(['report', 'latest', '-o', output, '--to', join(folder, 'new/out.html')]);
  page = await readFile(answer.html, 'utf8');
});

const percent = (value: number) => (value * 100).toFixed(2);

test('answers where the files are: a page below 3 MB and a picture for print', async () => {
  expect(answer).toEqual({
    run: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    html: join(folder, 'new/out.html'),
    png: join(folder, 'new/out.png'),
    complete: true,
    synthetic: true,
  });
  expect((await stat(answer.html)).size).toBeLessThan(LARGEST_PAGE_BYTES);
  const { width, height, format } = await sharp(answer.png).metadata();
  expect([width, format]).toEqual([2400, 'png']);
  expect(height).toBeGreaterThan(2400);
});

test('the numbers are those of layers and filters', async () => {
  const layers = await askJson<Record<string, number>[]>(['layers', 'latest', '-o', output]);
  for (const row of layers) {
    const cells = [
      row['filters'],
      percent(row['blankRate']),
      `${percent(row['blankRateLow'])}–${percent(row['blankRateHigh'])}`,
      percent(row['zeroShare']),
      `${percent(row['zeroShareLow'])}–${percent(row['zeroShareHigh'])}`,
      row['dead'],
      row['mostlyZero'],
    ].map((cell) => `<td class="number">${cell}</td>`);
    const line = `<th scope="row" class="name">${row['layer']}</th>${cells.join('')}`;
    expect(page.includes(line), line).toBe(true);
  }
  const filters = await askJson<Record<string, number | boolean>[]>(['filters', 'latest', '-o', output]);
  for (const { layer, filter, blank, images, zeroShare } of filters) {
    const title = `<title>${layer}/${filter}: ${percent(Number(zeroShare))} % zeros, blank on ${blank} of ${images}</title>`;
    expect(page.split(title).length - 1, title).toBe(2); // one in each map
  }
  const dead = filters.filter((row) => row['dead']).length;
  expect(page.includes(`dead: blank on every image (${dead.toLocaleString('en-US')} of 4,224)`)).toBe(true);
});

test('well-formed, with crops, and nothing in it leads elsewhere or runs', () => {
  const errors: string[] = [];
  parse(page, { onParseError: ({ code }) => errors.push(code) });
  expect(errors).toEqual([]);
  expect(page.match(/src="data:image\/(png|jpeg);base64,/g)!.length).toBeGreaterThan(20);
  expect(page.includes('no crop:')).toBe(false);
  const addresses = page.match(/https?:[^"]*|href=|<script/gi) ?? [];
  expect(new Set(addresses)).toEqual(new Set(['http://www.w3.org/2000/svg'])); // a name, which nobody asks for
  for (const text of ['SYNTHETIC WEIGHTS', 'failed: not-an-image', '&#x3C;img src=x onerror=alert(1)> cats'])
    expect(page.includes(text), text).toBe(true);
});

test('without --to it lies where the command was called; a name that is no page is refused', async () => {
  const { stdout } = await filterscope(['report', 'latest', '-o', output], { cwd: folder });
  const name = `filterscope-report-${answer.run.slice(0, 8)}`;
  expect(stdout).toContain(`${name}.html (`);
  expect((await stat(join(folder, `${name}.png`))).size).toBe((await stat(answer.png)).size);
  const { code, stderr } = await filterscope(['report', 'latest', '-o', output, '--to', 'page.pdf']);
  expect(code).toBe(2);
  expect(stderr).toContain('ends in .html');
});

const browser = findProgram('chromium');
if (!browser) console.log('skipped: there is no chromium on this machine to look at a report with');
describe.skipIf(!browser)('in a browser', () => {
  test('the page is drawn as it was written: its policy refuses nothing of it', async () => {
    const profile = await newFolder();
    const shot = join(folder, 'shot.png');
    const flags = ['headless', 'no-sandbox', 'disable-gpu', 'hide-scrollbars', 'enable-logging=stderr'];
    const settings = [`user-data-dir=${profile}`, 'window-size=1200,1000', `screenshot=${shot}`];
    const options = [...flags, ...settings].map((option) => `--${option}`);
    const { stderr } = await promisify(execFile)(browser!, [...options, `file://${answer.html}`]);
    expect(stderr).not.toContain('Content Security Policy');
    const { data, info } = await sharp(shot).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([1200, 1000]);
    const colours = new Set<number>();
    for (let i = 0; i < data.length; i += 3) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    expect(colours, 'the dots of the chart, coloured by the style sheet').toContain(0x0072b2);
  });
});
