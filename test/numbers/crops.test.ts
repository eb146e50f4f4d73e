import { beforeAll, afterAll, expect, test } from 'vitest';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { cropRectangle } from '@filterscope/imaging/crop-rectangle';
import { decodePicture } from '@filterscope/imaging/picture-file';
import type { Rectangle } from '@filterscope/imaging/rectangle';
import { findRun } from '@filterscope/results/find-run';
import { openResults, type Results } from '@filterscope/results/open-results';
import { filterInFull, filterRows } from '@filterscope/results/summaries';
import { pictureImages } from '@filterscope/results/top-crops';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { LAYERS } from '@filterscope/vgg16/layers';
import { PREPROCESSING } from '@filterscope/vgg16/preprocessing';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { filterscope } from '../support/run-filterscope.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { activationOf } from './naive-activation.ts';

// A crop is all that a maximum depends on: from its pixels alone the same maximum comes out.

/** Of the layer's largest activation: Winograd's rounding, twice. */
const TOLERANCE = 1e-4;
/** By the definition, in float64, in seconds; the field of a deep layer would take many. */
const NAIVE = LAYERS.filter(({ block }) => block <= 3);

const newFolder = temporaryFolders();
const weights = syntheticWeights();
let results: Results;
let engine: Engine;
beforeAll(async () => {
  const photos = await newFolder();
  const output = openFolderStore(await newFolder());
  await writePhotos(photos, 3);
  const args = ['analyze', photos, '--weights', 'synthetic', '--grids', 'none', '-o', output.url];
  const { code, stderr } = await filterscope(args);
  expect(code, stderr).toBe(0);
  results = await openResults(output, await findRun(output, 'latest'));
  engine = await createOnnxEngine({ weights, layers: LAYERS, threads: 1 });
}, 120_000);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  await results[Symbol.asyncDispose]();
});

/** The strongest image of a layer's filter that is not blank, and the stored picture of it. */
async function strongest(layer: string) {
  const filters = await filterRows(results, { layer });
  const { filter } = filters.find(({ filter, maxActivation }) => filter >= 21 && maxActivation! > 0)!;
  const { topImages } = await filterInFull(results, layer, filter);
  const [image] = await pictureImages(results, layer, topImages);
  const picture = await decodePicture((await results.output.get(image.picture!)).bytes);
  return { ...image, filter, picture };
}

test.each(NAIVE)('$layer: the crop alone, zeros around it, gives the maximum', async (shape) => {
  const { filter, max, x, y, field, picture } = await strongest(shape.layer);
  const crop = cropRectangle(picture, field);
  const alone = (pixels: Uint8Array) => activationOf(weights, inputOf(pixels, field), shape, filter, y, x);
  const exact = alone(crop);
  expect(Math.abs(exact / max - 1)).toBeLessThan(TOLERANCE);
  // Nor is the field larger than it has to be: each of its edges counts.
  const { width, height } = field;
  const edges = [
    (row: number) => row === 0,
    (row: number) => row === height - 1,
    (_: number, column: number) => column === 0,
    (_: number, column: number) => column === width - 1,
  ];
  for (const isEdge of edges) {
    const inverted = crop.map((value, i) => {
      const pixel = Math.floor(i / 3);
      return isEdge(Math.floor(pixel / width), pixel % width) ? 255 - value : value;
    });
    expect(alone(inverted)).not.toBe(exact);
  }
});

test.each(LAYERS)(
  '$layer: whatever is outside of the crop does not change the maximum',
  async ({ layer, size, positions }) => {
    const { filter, max, position, field, picture } = await strongest(layer);
    const noise = Uint8Array.from({ length: picture.length }, (_, i) => (i * 2654435761) >>> 24);
    const crop = cropRectangle(picture, field);
    for (let row = 0; row < field.height; row++) {
      const line = crop.subarray(row * field.width * 3, (row + 1) * field.width * 3);
      noise.set(line, ((field.top + row) * 224 + field.left) * 3);
    }
    const [{ activations, readings }] = await engine.infer([noise], { maps: { kind: 'activations' } });
    const index = LAYERS.findIndex((shape) => shape.layer === layer);
    const map = activations![index].subarray(filter * positions, (filter + 1) * positions);
    const start = LAYERS.slice(0, index).reduce((sum, { filters }) => sum + filters, 0);
    const largest = Math.max(max, ...readings.max.subarray(start, start + LAYERS[index].filters));
    expect(Math.abs(map[position] - max)).toBeLessThan(TOLERANCE * largest);
    // The noise does change others.
    const corner = map[position < positions / 2 ? size * size - 1 : 0];
    expect(corner === max).toBe(false);
  },
);

/** What the network sees of a crop by itself: zeros beyond it. @param crop `[row, column, channel]`, RGB */
function inputOf(crop: Uint8Array, { left, top, width, height }: Rectangle) {
  const { channels, mean, scale } = PREPROCESSING.keras;
  expect(channels).toBe('BGR');
  return (channel: number, row: number, column: number): number => {
    const [down, right] = [row - top, column - left];
    if (down < 0 || right < 0 || down >= height || right >= width) return 0;
    return (crop[(down * width + right) * 3 + 2 - channel] - mean[channel]) * scale[channel];
  };
}
