import { expect, test } from 'vitest';
import { addReadings, createAccumulator } from './accumulator.ts';
import { FOUR_IMAGES, SMALL_LAYERS } from './arbitrary-readings.ts';
import { filterDetail, quantile } from './filter-detail.ts';
import { wilson } from './intervals.ts';
import { summarizeFilters } from './summary.ts';

const four = createAccumulator(SMALL_LAYERS);
for (const image of FOUR_IMAGES) addReadings(four, image, image.readings);

test('a filter in full, by hand', () => {
  const detail = filterDetail(four, 'wide', 1);
  expect(detail).toMatchObject(summarizeFilters(four)[1]);
  // maxima 1.5 0.5 1.5 4: s² = (4 × 20.75 − 7.5²) / 12 = 2.2291667
  expect(detail.standardDeviationMax).toBeCloseTo(Math.sqrt(2.2291667), 6);
  expect(detail.histogram.map(({ images }) => images)).toEqual([1, 2, 1]);
  expect(detail.histogram[1].low).toBeCloseTo(2 ** 0.5, 6); // 1.5 lies between 2^(2/4) and 2^(3/4)
  expect(detail.histogram[1].high).toBeCloseTo(2 ** 0.75, 6);
  // p50 is the second of four images: half of the two from 2^(2/4) to 2^(3/4)
  expect(detail.p50).toBeCloseTo(2 ** 0.625, 6);
  // the 3.6th and 3.96th lie in the bin from 4, which ends at the largest maximum, 4
  expect(detail.p90).toBe(4);
  expect(detail.p99).toBe(4);
  expect(detail.topImages.map(({ row }) => row)).toEqual([7, 5, 9, 3]);
});

test('classes, by hand', () => {
  const two = wilson(2, 2);
  expect(filterDetail(four, 'wide', 0).classes).toEqual([
    { classId: 0, images: 2, blank: 2, blankRate: 1, blankRateLow: two?.low, blankRateHigh: 1 },
    { classId: 1, images: 1, blank: 0, blankRate: 0, blankRateLow: null, blankRateHigh: null },
  ]);
});

test('quantiles count blank images as 0, and interpolate from 0 linearly', () => {
  const bins = [
    { low: 0, high: 0, images: 50 },
    { low: 0, high: 0.5, images: 30 },
    { low: 1, high: 16, images: 20 },
  ];
  expect(quantile(bins, 0.5, 16)).toBe(0);
  expect(quantile(bins, 0.65, 16)).toBeCloseTo(0.25, 12); // 15 of 30 on the way from 0 to 0.5
  expect(quantile(bins, 0.9, 16)).toBeCloseTo(4, 12); // 10 of 20 on the way from 2^0 to 2^4
  expect(quantile(bins, 0.9, 4)).toBeCloseTo(2, 12); // to 2^2 where nothing was larger
  expect(quantile([], 0.5, 0)).toBeNull();
});

test('no images, and no such filter', () => {
  const empty = filterDetail(createAccumulator(SMALL_LAYERS), 'deep', 0);
  expect(empty).toMatchObject({
    standardDeviationMax: null,
    p50: null,
    histogram: [],
    topImages: [],
    classes: [],
  });
  expect(() => filterDetail(four, 'deep', 1)).toThrow('deep/1');
  expect(() => filterDetail(four, 'block9_conv1', 0)).toThrow('block9_conv1/0');
});
