import { expect, test } from 'vitest';
import { addReadings, createAccumulator, type Accumulator } from '@filterscope/statistics/accumulator';
import type { Readings } from '@filterscope/statistics/readings';
import { toArrays } from '@filterscope/statistics/to-arrays';
import { encodeAccumulator } from './accumulator-file.ts';
import type { MergePart } from './add-part.ts';
import { mergeParts } from './merge-parts.ts';
import { encodeReadings } from './readings-table.ts';
import { measuredLayers } from './run-document.ts';
import { exampleRun } from './test-support/example-run.ts';

const example = exampleRun();
const settings = { ...example.settings, layers: ['block5_conv3'], topK: 3 };
const document = exampleRun({
  settings,
  labels: { name: 'labels.csv', sha256: 's' },
  classes: ['a', 'b', 'c'],
});
const layers = measuredLayers(document);
const [{ filters, positions }] = layers;
const PARTS = 23;
const IMAGES_A_PART = 3;

/** The same on every call; ties and blank filters among them. */
function readingsOf(row: number): Readings {
  const max = Float32Array.from({ length: filters }, (_, filter) => (row * filter) % 5);
  const zeros = Uint16Array.from(max, (value) => (value > 0 ? row % positions : positions));
  return { zeros, max, mean: new Float32Array(filters), position: new Uint16Array(filters) };
}

const CLASSES = [null, 'a', 'b|c', 'c'];
const CLASS_IDS = [[], [0], [1, 2], [2]];
const isLeftOut = (row: number) => row % 9 === 0;
const add = (accumulator: Accumulator, row: number) =>
  addReadings(accumulator, { row, classIds: CLASS_IDS[row % 4] }, readingsOf(row));

/** Every third part as readings, without its first image. */
async function* parts(): AsyncGenerator<MergePart> {
  for (let part = 0; part < PARTS; part++) {
    const rows = Array.from({ length: IMAGES_A_PART }, (_, i) => part * IMAGES_A_PART + i);
    if (rows.some(isLeftOut)) {
      const named = rows.map((row) => {
        return { row, image: `${row}`, class: CLASSES[row % 4], readings: readingsOf(row) };
      });
      yield { readings: await encodeReadings(layers, named), without: new Set(rows.filter(isLeftOut)) };
    } else {
      const accumulator = createAccumulator(layers, settings);
      for (const row of rows) add(accumulator, row);
      yield { accumulator: await encodeAccumulator(accumulator) };
    }
  }
}

async function* accumulators(): AsyncGenerator<MergePart> {
  for await (const part of parts()) if ('accumulator' in part) yield part;
}

async function* broken(): AsyncGenerator<MergePart> {
  yield* parts();
  throw new Error('out of reach');
}

test.each([0, 1, 2, 5])('%i threads give the sums of all images, bit by bit', async (threads) => {
  const whole = createAccumulator(layers, settings);
  for (let row = 0; row < PARTS * IMAGES_A_PART; row++) if (!isLeftOut(row)) add(whole, row);
  const merged = await mergeParts(document, parts(), threads);
  expect(toArrays(merged)).toStrictEqual(toArrays(whole));
  expect(await encodeAccumulator(merged)).toEqual(await encodeAccumulator(whole));
});

test.each([0, 2])(
  'a part of another run, or one that cannot be had, ends it (%i threads)',
  async (threads) => {
    const other = exampleRun({ settings: { ...settings, layers: ['block1_conv1'] } });
    await expect(mergeParts(other, accumulators(), threads)).rejects.toThrow('the array');
    await expect(mergeParts(document, broken(), threads)).rejects.toThrow('out of reach');
  },
);
