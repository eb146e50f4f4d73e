import { expect, test } from 'vitest';
import { clippedShare } from './clipped-share.ts';
import { gridLayout } from './grid-layout.ts';

test('counts the saturated positions of tiles above their reference only', () => {
  const layout = gridLayout(4); // 2×2 tiles of 2×2
  // prettier-ignore
  const plane = Uint8Array.from([
    255, 255, 255, 0,
    0, 254, 0, 0,
    255, 255, 0, 0,
    255, 255, 0, 0,
  ]);
  // the second tile reaches its reference exactly: nothing is lost there
  expect(clippedShare(plane, layout, 2, [3, 1, 2, 0], [1, 1, 1, 1])).toBe(6 / 16);
  expect(clippedShare(plane, layout, 2, [1, 1, 1, 0], [1, 1, 1, 1])).toBe(0);
});

test('a filter whose reference is 0 is clipped wherever it fires', () => {
  expect(clippedShare(Uint8Array.from([255, 0, 0, 0]), gridLayout(1), 2, [5], [0])).toBe(0.25);
});
