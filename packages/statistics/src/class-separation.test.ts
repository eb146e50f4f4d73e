import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { addReadings, createAccumulator } from './accumulator.ts';
import { arbitraryImages, readingsOf, SMALL_LAYERS, type SmallImage } from './arbitrary-readings.ts';
import { separateClasses, type ClassRow } from './class-separation.ts';
import { fisherLogP } from './exact-tests.ts';
import { wilson } from './intervals.ts';
import { rateDifferenceInterval } from './rate-differences.ts';

function accumulate(images: readonly SmallImage[]) {
  const accumulator = createAccumulator(SMALL_LAYERS);
  for (const image of images) addReadings(accumulator, image, image.readings);
  return accumulator;
}

const FILTERS = [
  ['wide', 0, 4],
  ['wide', 1, 4],
  ['deep', 0, 2],
] as const;

test('every class and filter, counted image by image, with images of several classes and of none', () => {
  fc.assert(
    fc.property(arbitraryImages, (images) => {
      const ids = [0, 1, 2].filter((id) => {
        const { length } = images.filter(({ classIds }) => classIds.includes(id));
        return length > 0 && length < images.length;
      });
      fc.pre(ids.length > 0);
      const rows = [...separateClasses(accumulate(images), { classIds: ids, adjust: 'bh' })];
      const expected = ids.flatMap((classId) =>
        FILTERS.map(([layer, filter, positions], index) => {
          const [own, rest] = [true, false].map((inside) =>
            images.filter(({ classIds }) => classIds.includes(classId) === inside),
          );
          const [blank, restBlank] = [own, rest].map(
            (part) => part.filter(({ readings }) => readings.zeros[index] === positions).length,
          );
          const [blankRate, restBlankRate] = [blank / own.length, restBlank / rest.length];
          const alone = own.length < 2 ? null : wilson(blank, own.length);
          const interval = rateDifferenceInterval(
            { successes: restBlank, n: rest.length },
            { successes: blank, n: own.length },
          );
          return {
            classId,
            layer,
            filter,
            images: own.length,
            blank,
            blankRate,
            blankRateLow: alone?.low ?? null,
            blankRateHigh: alone?.high ?? null,
            restImages: rest.length,
            restBlank,
            restBlankRate,
            difference: blankRate - restBlankRate,
            low: interval?.low ?? null,
            high: interval?.high ?? null,
            adjustedP: expect.any(Number) as number,
          };
        }),
      );
      const place = (row: ClassRow) =>
        ids.indexOf(row.classId) * 3 +
        FILTERS.findIndex(([layer, filter]) => layer === row.layer && filter === row.filter);
      expect(rows.toSorted((x, y) => place(x) - place(y))).toEqual(expected);
      const p = rows.map((row) => fisherLogP(row.restBlank, row.restImages, row.blank, row.images));
      expect(p).toEqual(p.toSorted((x, y) => x - y));
      for (const [i, { adjustedP }] of rows.entries()) {
        // Benjamini & Hochberg 1995: the least of m p(j) / j over all j from here on
        const later = p.flatMap((value, j) => (j < i ? [] : [(rows.length * Math.exp(value)) / (j + 1)]));
        expect(adjustedP).toBeCloseTo(Math.min(1, ...later), 10);
      }
    }),
  );
});

test('a class that is told by one filter, and the family shrinks with the question', () => {
  const images = Array.from({ length: 20 }, (_, row): SmallImage => {
    const own = row < 10;
    return { row, classIds: own ? [7] : [], readings: readingsOf([own ? 4 : 1, 1, 1], [own ? 0 : 1, 1, 1]) };
  });
  const accumulator = accumulate(images);
  const [best, ...others] = separateClasses(accumulator, { classIds: [7], adjust: 'bh' });
  expect(best).toMatchObject({ layer: 'wide', filter: 0, difference: 1 });
  expect(best.adjustedP).toBeCloseTo((3 * 2) / 184_756, 9); // 20 choose 10
  expect(others.map(({ adjustedP }) => adjustedP)).toEqual([1, 1]);
  const [ofLayer] = separateClasses(accumulator, { classIds: [7], layer: 'wide', adjust: 'by' });
  expect(ofLayer.adjustedP).toBeCloseTo((1.5 * 2 * 2) / 184_756, 9);
});
