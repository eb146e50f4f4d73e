import { expect, test } from 'vitest';
import { cholletGrid } from './chollet-grid.ts';
import { viridis } from './viridis.ts';

const colour = (level: number) => [...viridis().subarray(level * 3, level * 3 + 3)];

test("viridis runs from matplotlib's dark violet to its yellow", () => {
  expect(viridis()).toHaveLength(256 * 3);
  expect(colour(0)).toEqual([68, 1, 84]);
  expect(colour(127)).toEqual([33, 144, 141]); // middle of the table: 0.128729, 0.563265, 0.551229
  expect(colour(255)).toEqual([253, 231, 37]);
});

test('each tile by its own mean and deviation, worked out by hand', async () => {
  // mean 1.5, deviation √1.25: (x − 1.5) / 1.118… · 64 + 128 = 42.1, 99.4, 156.6, 213.9
  const ramp = [0, 1, 2, 3];
  const spike = [0, 0, 0, 8]; // mean 2, deviation √12: 91.05 three times, 238.85
  const activations = Float32Array.from([...ramp, 0, 0, 0, 0, 5, 5, 5, 5, ...spike]);
  const { pixels, width, height } = await cholletGrid(activations, 4, 2);
  expect([width, height]).toEqual([47, 2]);
  const at = (row: number, column: number) => [
    ...pixels.subarray((row * width + column) * 3, (row * width + column) * 3 + 3),
  ];
  expect([at(0, 0), at(0, 1), at(1, 0), at(1, 1)]).toEqual([42, 99, 156, 213].map(colour));
  expect([at(0, 3), at(1, 4)]).toEqual([0, 0].map(colour)); // blank
  expect([at(0, 6), at(1, 7)]).toEqual([128, 128].map(colour)); // constant
  expect([at(0, 9), at(0, 10), at(1, 9), at(1, 10)]).toEqual([91, 91, 91, 238].map(colour));
  expect([at(0, 2), at(1, 2), at(0, 46)]).toEqual([0, 0, 0].map(colour)); // gaps, free places
});

test('rare activations far above the mean are clipped', async () => {
  const { pixels } = await cholletGrid(
    Float32Array.from({ length: 196 }, (_, i) => (i === 0 ? 1000 : 0)),
    1,
    14,
  );
  expect([...pixels.subarray(0, 3)]).toEqual(colour(255));
  expect([...pixels.subarray(3, 6)]).toEqual(colour(123)); // −1/√195 · 64 + 128
});

test('17 filters take a second row of tiles', async () => {
  expect(await cholletGrid(new Float32Array(17), 17, 1)).toMatchObject({ width: 31, height: 3 });
  await expect(cholletGrid(new Float32Array(16), 17, 1)).rejects.toThrow(RangeError);
});
