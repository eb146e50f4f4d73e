import { expect, test } from 'vitest';
import { cropRectangle } from './crop-rectangle.ts';

const pixels = new Uint8Array(224 * 224 * 3);
for (let i = 0; i < 224 * 224; i++) pixels.set([i % 224, Math.floor(i / 224), 7], i * 3);

test('cuts what lies inside', () => {
  const cut = cropRectangle(pixels, { left: 10, top: 20, width: 2, height: 2 });
  expect([...cut]).toEqual([10, 20, 7, 11, 20, 7, 10, 21, 7, 11, 21, 7]);
  const corner = cropRectangle(pixels, { left: 223, top: 222, width: 1, height: 2 });
  expect([...corner]).toEqual([223, 222, 7, 223, 223, 7]);
  expect(cropRectangle(pixels, { left: 0, top: 0, width: 224, height: 224 })).toEqual(pixels);
});

test.each([
  [0.5, 0, 1, 1],
  [0, 0, 0, 1],
  [-1, 0, 2, 2],
  [0, 223, 1, 2],
])('whole pixels of the picture only, not those at %d,%d of %d×%d', (left, top, width, height) => {
  expect(() => cropRectangle(pixels, { left, top, width, height })).toThrow(RangeError);
});
