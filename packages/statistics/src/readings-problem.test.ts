import { expect, test } from 'vitest';
import { readingsOf, SMALL_LAYERS } from './arbitrary-readings.ts';
import { MAX_ACTIVATION, readingsProblem } from './readings-problem.ts';

const sound = readingsOf([4, 0, 1], [0, MAX_ACTIVATION - 1, 1], [0, 3, 1]);

test('sound readings have no problem', () => {
  expect(readingsProblem(SMALL_LAYERS, sound)).toBeNull();
});

test.each([
  ['a maximum that is not a number', { max: Float32Array.of(0, 1, NaN) }],
  ['an infinite maximum', { max: Float32Array.of(0, 1, Infinity) }],
  ['a maximum too large', { max: Float32Array.of(0, 1, MAX_ACTIVATION) }],
  ['a negative maximum', { max: Float32Array.of(0, 1, -1) }],
  ['a mean that is not a number', { mean: Float32Array.of(0, 1, NaN) }],
  ['a negative mean', { mean: Float32Array.of(0, 1, -1) }],
  ['more zeros than positions', { zeros: Uint16Array.of(4, 0, 3) }],
  ['a position outside the map', { position: Uint16Array.of(0, 0, 2) }],
  ['zeros everywhere and a maximum', { zeros: Uint16Array.of(4, 0, 2) }],
  ['no maximum and not zeros everywhere', { max: Float32Array.of(0, 1, 0) }],
])('%s is one, and names its filter', (_, wrong) => {
  expect(readingsProblem(SMALL_LAYERS, { ...sound, ...wrong })).toMatch(/^deep\/0 /);
});

test('readings of another number of filters are the caller’s mistake', () => {
  const short = { ...sound, mean: new Float32Array(2) };
  expect(() => readingsProblem(SMALL_LAYERS, short)).toThrow('2 values of mean for 3 filters');
});
