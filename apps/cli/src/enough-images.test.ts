import { expect, test } from 'vitest';
import { enoughImages } from './enough-images.ts';

const rows = (...more: (number | null)[]) => more.map((moreImages) => ({ moreImages }));

test('the widest interval decides', () => {
  expect(enoughImages(rows(0, 1200, 30), 'layers')).toBe(
    'enough images: 1,200 more bring every interval to ±1 point; 1 of 3 layers are there now.',
  );
  expect(enoughImages(rows(0, 0), 'layers')).toBe(
    'enough images: every interval of all 2 layers is within ±1 point.',
  );
  expect(enoughImages(rows(0), 'layers')).toBe('enough images: both intervals are within ±1 point.');
  expect(enoughImages(rows(null, null), 'filters')).toBe('enough images: one image alone has no interval.');
});
