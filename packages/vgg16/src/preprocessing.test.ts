import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { INPUT_SIZE } from './layers.ts';
import { PREPROCESSING, preprocessPixels } from './preprocessing.ts';
import { sharedData } from './shared-data.test-support.ts';

const PLANE = INPUT_SIZE * INPUT_SIZE;

function imageOf(red: number, green: number, blue: number): Uint8Array {
  return Uint8Array.from({ length: 3 * PLANE }, (_, i) => [red, green, blue][i % 3]);
}

test('keras: BGR minus means', () => {
  const input = preprocessPixels(imageOf(255, 128, 0), 'keras');
  const expected = [0 - 103.939, 128 - 116.779, 255 - 123.68].map(Math.fround);
  expect([0, 1, 2].map((channel) => input[channel * PLANE])).toEqual(expected);
});

test('torchvision: RGB as 0 … 1, normalised', () => {
  const input = preprocessPixels(imageOf(255, 128, 0), 'torchvision');
  const expected = [(1 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (0 - 0.406) / 0.225];
  for (const [channel, value] of expected.entries()) expect(input[channel * PLANE]).toBeCloseTo(value, 5);
});

test('planes are in raster order', () => {
  const image = new Uint8Array(3 * PLANE);
  image[(5 * INPUT_SIZE + 7) * 3] = 200;
  const input = preprocessPixels(image, 'keras');
  expect(input[2 * PLANE + 5 * INPUT_SIZE + 7]).toBe(Math.fround(200 - 123.68));
});

const golden = sharedData('golden/persian_cat-input-224x224x3-BGR-meansub.f32');

test.skipIf(golden === undefined)("a photo's bytes come out as Keras's own preprocessing had them", () => {
  const file = readFileSync(golden ?? '');
  const keras = new Float32Array(file.buffer, file.byteOffset, file.length / 4); // [row, column, BGR]
  const { mean } = PREPROCESSING.keras;
  const image = Uint8Array.from(keras, (_, i) =>
    Math.round(keras[i - (i % 3) + 2 - (i % 3)] + mean[2 - (i % 3)]),
  );
  const input = preprocessPixels(image, 'keras');
  let worst = 0;
  for (let i = 0; i < keras.length; i++) {
    worst = Math.max(worst, Math.abs(input[(i % 3) * PLANE + Math.floor(i / 3)] - keras[i]));
  }
  expect(worst).toBeLessThan(1e-4);
});
