import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { resizeWindow, tappedRectangle, triangleTaps } from './resize-window.ts';

const grey = (values: number[]) => Uint8Array.from(values.flatMap((value) => [value, value, value]));
const one = triangleTaps(1, 1, 0, 1);

test('enlarges about pixel centres', () => {
  const resized = resizeWindow(grey([0, 100, 200, 60]), triangleTaps(4, 8, 0, 8), one);
  expect(resized.filter((_, i) => i % 3 === 0)).toEqual(Uint8Array.from([0, 25, 75, 125, 175, 165, 95, 60]));
});

test('reduces with a triangle as wide as the reduction, cut off at the edge', () => {
  const resized = resizeWindow(grey([0, 100, 200, 50]), triangleTaps(4, 2, 0, 2), one);
  // (0.75 · 0 + 0.75 · 100 + 0.25 · 200) / 1.75 and its mirror image
  expect([resized[0], resized[3]]).toEqual([71, 121]);
});

test('a window is a part of the whole', () => {
  const size = fc.integer({ min: 1, max: 30 });
  fc.assert(
    fc.property(
      size,
      size,
      fc.nat(),
      fc.nat(),
      fc.infiniteStream(fc.nat(255)),
      (source, target, a, b, stream) => {
        const values = grey([...stream.take(source)]);
        const start = a % target;
        const count = 1 + (b % (target - start));
        const taps = triangleTaps(source, target, start, count);
        const { left, width } = tappedRectangle(taps, one);
        const whole = resizeWindow(values, triangleTaps(source, target, 0, target), one);
        const part = resizeWindow(values.subarray(left * 3, (left + width) * 3), taps, one);
        expect(part).toEqual(whole.subarray(start * 3, (start + count) * 3));
      },
    ),
  );
});
