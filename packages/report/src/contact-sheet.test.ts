import sharp from 'sharp';
import { expect, test } from 'vitest';
import { encodeCrop } from '@filterscope/imaging/crop-file';
import type { TopCrop } from '@filterscope/results/top-crops';
import { LAYERS } from '@filterscope/vgg16/layers';
import { fieldInPicture } from '@filterscope/vgg16/receptive-field';
import { contactSheet } from './contact-sheet.ts';
import { svgElement, svgText } from './charts/svg.ts';
import { renderPng } from './render-png.ts';
import { exampleReport } from './test-support/example-report.ts';

const { document, filters } = exampleReport();
const [filter] = filters;
const layer = LAYERS.find(({ layer }) => layer === filter.layer)!;

async function topCrop(position: number, colour: readonly number[], image = 'a.jpg'): Promise<TopCrop> {
  const pixels = Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => colour[i % 3]);
  const field = fieldInPicture(layer, position);
  const [x, y] = [position % layer.size, Math.floor(position / layer.size)];
  const crop = await encodeCrop(pixels, field, 32);
  return { row: 1, image, class: null, max: 12.345, position, x, y, field, crop, missing: null };
}

const textOf = (crops: readonly TopCrop[]) => {
  const name = { id: 'sheet', title: 't', description: 'd' };
  return svgText(svgElement(contactSheet({ document, filter, crops }), name));
};

test('each crop lies where it is in its field, with its place and name', async () => {
  const middle = await topCrop(layer.size * 5 + 7, [200, 30, 10], 'cat/\u202e<1>.jpg');
  const corner = await topCrop(0, [10, 40, 220]);
  const drawing = contactSheet({ document, filter, crops: [middle, corner] });
  const png = await renderPng(drawing, 'sheet', drawing.width);
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [
    ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
  ];
  expect(at(24 + 3, 84 + 3)).toEqual([200, 30, 10]);
  expect(at(24 + 190, 84 + 190)).toEqual([200, 30, 10]);
  // The first third of the corner's field is beyond the picture.
  expect(at(234 + 30, 84 + 100)).toEqual([236, 236, 236]);
  expect(at(234 + 100, 84 + 100)).toEqual([10, 40, 220]);
  const text = textOf([middle]);
  expect(text).toContain('1. 12.35');
  expect(text).toContain('at 7, 5');
  expect(text).toContain('cat/\\u202e&#x3C;1>.jpg');
});

test('a crop that is missing says why, and a filter without top images that it is blank', async () => {
  const missing = { code: 'changed', message: 'it has changed' };
  const text = textOf([{ ...(await topCrop(0, [0, 0, 0])), crop: null, missing }]);
  expect(text).toContain('no crop: changed');
  expect(textOf([])).toContain('blank on every image');
});
