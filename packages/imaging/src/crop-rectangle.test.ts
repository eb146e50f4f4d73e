import { expect, test } from 'vitest';
import { cropRectangle } from './crop-rectangle.ts';

const pixels = new Uint8Array(224 * 224 * 3);
for (let i = 0; i < 224 * 224; i++) pixels.set([i % 224, Math.floor(i / 224), 7], i * 3);

test('cuts what lies inside', () => {
  const cut = cropRectangle(pixels, { left: 10, top: 20, width: 2, height: 2 });
  expect([...cut]).toEqual([10, 20, 7, 11, 20, 7, 10, 21, 7, 11, 21, 7]);
});

test('is mid-grey outside, on every side', () => {
  const corner = cropRectangle(pixels, { left: -1, top: -1, width: 2, height: 2 });
  expect([...corner]).toEqual([128, 128, 128, 128, 128, 128, 128, 128, 128, 0, 0, 7]);
  const other = cropRectangle(pixels, { left: 223, top: 223, width: 2, height: 2 });
  expect([...other]).toEqual([223, 223, 7, 128, 128, 128, 128, 128, 128, 128, 128, 128]);
});

test('may lie outside altogether, or hold everything', () => {
  expect(new Set(cropRectangle(pixels, { left: 300, top: -50, width: 5, height: 4 }))).toEqual(
    new Set([128]),
  );
  expect(cropRectangle(pixels, { left: 0, top: 0, width: 224, height: 224 })).toEqual(pixels);
});

test('whole pixels only', () => {
  expect(() => cropRectangle(pixels, { left: 0.5, top: 0, width: 1, height: 1 })).toThrow(RangeError);
  expect(() => cropRectangle(pixels, { left: 0, top: 0, width: 0, height: 1 })).toThrow(RangeError);
});
