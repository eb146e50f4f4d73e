import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeParquet } from './parquet.ts';
import { decodeReadings, encodeReadings, type ReadingsRow } from './readings-table.ts';

const LAYERS = [
  { layer: 'wide', filters: 3, positions: 4 },
  { layer: 'deep', filters: 1, positions: 2 },
];

const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: 0 });
const uint16 = fc.integer({ min: 0, max: 65_535 });
const four = <T>(value: fc.Arbitrary<T>) => fc.array(value, { minLength: 4, maxLength: 4 });
const row: fc.Arbitrary<ReadingsRow> = fc
  .record({
    row: fc.nat({ max: 2 ** 31 - 1 }),
    image: fc.string({ unit: 'grapheme' }),
    class: fc.option(fc.string()),
    zeros: four(uint16),
    max: four(float),
    mean: four(float),
    position: four(uint16),
  })
  .map(({ row, image, class: cls, zeros, max, mean, position }) => ({
    row,
    image,
    class: cls,
    readings: {
      zeros: Uint16Array.from(zeros),
      max: Float32Array.from(max),
      mean: Float32Array.from(mean),
      position: Uint16Array.from(position),
    },
  }));

test('readings come back bit for bit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 6 }), async (rows) => {
      const decoded = decodeParquet(await encodeReadings(LAYERS, rows));
      const back = decoded.map((cells) => ({
        row: cells['row'],
        image: cells['image'],
        class: cells['class'],
        readings: decodeReadings(LAYERS, cells),
      }));
      expect(back).toEqual(rows);
    }),
    { numRuns: 40 },
  );
});

test('a row that lacks a layer is not taken for one', async () => {
  const [cells] = decodeParquet(
    await encodeReadings(LAYERS.slice(0, 1), [
      {
        row: 0,
        image: 'a',
        class: null,
        readings: {
          zeros: new Uint16Array(3),
          max: new Float32Array(3),
          mean: new Float32Array(3),
          position: new Uint16Array(3),
        },
      },
    ]),
  );
  expect(() => decodeReadings(LAYERS, cells)).toThrow('deep_zeros');
});
