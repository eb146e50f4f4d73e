import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { resizeWindow, tappedRectangle, triangleTaps } from './resize-window.ts';

const grey = (values: number[]) => Uint8Array.from(values.flatMap((value) => [value, value, value]));
const one = triangleTaps(1, 1, 0, 1);
const half = (level: number) => Array<number>(20_000).fill(level);

test('enlarges about pixel centres', async () => {
  const resized = await resizeWindow(grey([0, 100, 200, 60]), triangleTaps(4, 8, 0, 8), one);
  expect(resized.filter((_, i) => i % 3 === 0)).toEqual(Uint8Array.from([0, 25, 75, 125, 175, 165, 95, 60]));
});

test('reduces with a triangle as wide as the reduction, cut off at the edge', async () => {
  const resized = await resizeWindow(grey([0, 100, 200, 50]), triangleTaps(4, 2, 0, 2), one);
  // (0.75 · 0 + 0.75 · 100 + 0.25 · 200) / 1.75 and its mirror image
  expect([resized[0], resized[3]]).toEqual([71, 121]);
});

test('a window is a part of the whole', async () => {
  const size = fc.integer({ min: 1, max: 30 });
  await fc.assert(
    fc.asyncProperty(
      size,
      size,
      fc.nat(),
      fc.nat(),
      fc.infiniteStream(fc.nat(255)),
      async (source, target, a, b, stream) => {
        const values = grey([...stream.take(source)]);
        const start = a % target;
        const count = 1 + (b % (target - start));
        const taps = triangleTaps(source, target, start, count);
        const { left, width } = tappedRectangle(taps, one);
        const whole = await resizeWindow(values, triangleTaps(source, target, 0, target), one);
        const part = await resizeWindow(values.subarray(left * 3, (left + width) * 3), taps, one);
        expect(part).toEqual(whole.subarray(start * 3, (start + count) * 3));
      },
    ),
  );
});

test('a source of 40,000 columns is reduced along its rows and enlarged across them', async () => {
  const resized = await resizeWindow(
    grey([...half(0), ...half(104), ...half(48), ...half(152)]),
    triangleTaps(40_000, 4, 0, 4),
    triangleTaps(2, 4, 0, 4),
  );
  const levels = resized.filter((_, i) => i % 3 === 0);
  // the triangles of the two columns in the middle reach an eighth of their area over the edge
  expect([...levels.subarray(0, 4)]).toEqual([0, 13, 91, 104]);
  expect([0, 4, 8, 12].map((at) => levels[at])).toEqual([0, 12, 36, 48]);
});
