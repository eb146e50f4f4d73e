import sharp from 'sharp';
import { expect, test } from 'vitest';
import { exampleRun } from '@filterscope/runs/test-support/example-run';
import { mainFigure } from './main-figure.ts';
import { renderPng } from './render-png.ts';
import { exampleReport } from './test-support/example-report.ts';
import { headline } from './wording.ts';

/** How many of the pixels beside the title are not white. */
async function inkOf(dataset: string): Promise<{ width: number; title: number; warning: number }> {
  const report = exampleReport({}, exampleRun({ dataset }));
  const png = await renderPng(mainFigure(report), headline(report));
  const { width } = await sharp(png).metadata();
  const ink = async (top: number) => {
    const area = { left: 0, top, width, height: 60 };
    const pixels = await sharp(png).extract(area).toColourspace('b-w').removeAlpha().raw().toBuffer();
    return pixels.filter((level) => level < 200).length / 60;
  };
  return { width, title: await ink(40), warning: await ink(160) };
}

test('wide enough for print, with text though no font of the machine is used', async () => {
  const short = await inkOf('/a');
  const long = await inkOf('/a dataset with a long name');
  expect(short.width).toBe(2400);
  expect(short.title).toBeGreaterThan(50);
  expect(long.title).toBeGreaterThan(short.title * 1.3);
  expect(short.warning).toBeGreaterThan(50);
});

test('any name is a well-formed picture', async () => {
  const { width } = await inkOf('/<&"\'>]]>\u0000\u001b\ufffe');
  expect(width).toBe(2400);
});
