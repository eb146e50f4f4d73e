import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTopImages, listedRows, listTopImages, mergeTopImages, offerImage } from './top-images.ts';

test('larger maxima come first, equal ones by row, and a blank filter takes no slot', () => {
  const top = createTopImages(2, 3);
  offerImage(top, 1, 2, 8, 5);
  offerImage(top, 1, 0, 1, 0);
  expect(listTopImages(top, 1)).toEqual([{ row: 8, max: 2, position: 5 }]);
  offerImage(top, 1, 3, 9, 6);
  offerImage(top, 1, 2, 4, 7);
  offerImage(top, 1, 2, 6, 1);
  expect(listTopImages(top, 1)).toEqual([
    { row: 9, max: 3, position: 6 },
    { row: 4, max: 2, position: 7 },
    { row: 6, max: 2, position: 1 },
  ]);
  expect(listTopImages(top, 0)).toEqual([]);
});

test('the slots hold what sorting all images gives, however these were split', () => {
  const arbitraryImage = fc.record({ max: fc.nat({ max: 4 }), row: fc.nat({ max: 20 }), left: fc.boolean() });
  fc.assert(
    fc.property(fc.uniqueArray(arbitraryImage, { selector: ({ row }) => row }), fc.nat(5), (images, size) => {
      const [left, right] = [createTopImages(1, size), createTopImages(1, size)];
      for (const { max, row, left: toLeft } of images) offerImage(toLeft ? left : right, 0, max, row, row);
      mergeTopImages(left, right);
      const sorted = images.filter(({ max }) => max > 0).toSorted((a, b) => b.max - a.max || a.row - b.row);
      const expected = sorted.slice(0, size).map(({ max, row }) => ({ max, row, position: row }));
      expect(listTopImages(left, 0)).toEqual(expected);
    }),
  );
});

test('rows in several lists count once, empty slots not at all', () => {
  const top = createTopImages(3, 2);
  expect(listedRows(top)).toEqual([]);
  offerImage(top, 0, 1, 200, 0);
  offerImage(top, 0, 2, 9, 0);
  offerImage(top, 2, 2, 200, 1);
  expect(listedRows(top)).toEqual([9, 200]);
  offerImage(top, 1, 3, 0, 0);
  expect(listedRows(top)).toEqual([0, 9, 200]);
});
