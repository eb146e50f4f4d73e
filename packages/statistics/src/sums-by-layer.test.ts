import { expect, test } from 'vitest';
import { FOUR_IMAGES, SMALL_LAYERS } from './arbitrary-readings.ts';
import { sumsByLayer } from './sums-by-layer.ts';

test('blank filters and zeros are counted layer by layer', () => {
  const sums = FOUR_IMAGES.map(({ readings }) => sumsByLayer(SMALL_LAYERS, readings));
  expect(sums).toEqual([
    { blankFilters: { wide: 1, deep: 1 }, zeros: { wide: 5, deep: 2 } },
    { blankFilters: { wide: 0, deep: 0 }, zeros: { wide: 2, deep: 1 } },
    { blankFilters: { wide: 1, deep: 1 }, zeros: { wide: 6, deep: 2 } },
    { blankFilters: { wide: 1, deep: 0 }, zeros: { wide: 5, deep: 0 } },
  ]);
});
