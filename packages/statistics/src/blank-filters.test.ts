import { expect, test } from 'vitest';
import { FOUR_IMAGES, SMALL_LAYERS } from './arbitrary-readings.ts';
import { blankFiltersByLayer } from './blank-filters.ts';

test('blank filters are counted layer by layer', () => {
  const counts = FOUR_IMAGES.map(({ readings }) => blankFiltersByLayer(SMALL_LAYERS, readings));
  expect(counts).toEqual([
    Uint16Array.of(1, 1),
    Uint16Array.of(0, 0),
    Uint16Array.of(1, 1),
    Uint16Array.of(1, 0),
  ]);
});
