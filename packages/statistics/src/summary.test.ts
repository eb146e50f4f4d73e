import { expect, test } from 'vitest';
import { addReadings, createAccumulator } from './accumulator.ts';
import { FOUR_IMAGES, readingsOf, SMALL_LAYERS, type SmallImage } from './arbitrary-readings.ts';
import { deadBound, wilson } from './intervals.ts';
import type { LayerShape } from './readings.ts';
import { summarizeFilters, summarizeLayers } from './summary.ts';

function accumulate(images: readonly SmallImage[], layers: readonly LayerShape[] = SMALL_LAYERS) {
  const accumulator = createAccumulator(layers);
  for (const image of images) addReadings(accumulator, image, image.readings);
  return accumulator;
}

// Within 5 × 10^−7 of the arithmetic in the comments.
const close = (value: number) => expect.closeTo(value, 6);

test('filters of four images by hand', () => {
  expect(summarizeFilters(accumulate(FOUR_IMAGES))).toEqual([
    {
      layer: 'wide',
      filter: 0,
      images: 4,
      blank: 3,
      blankRate: 0.75,
      // z² = 3.841459, z²/n = 0.960365; centre (0.75 + 0.480182) / 1.960365 = 0.627527;
      // half 1.959964 / 1.960365 × √(0.1875/4 + 0.960365/16) = 0.326885
      blankRateLow: close(0.300642),
      blankRateHigh: close(0.954413),
      // zeros 4 2 4 4 of 4: 14/16; s² = (4 × 52 − 14²) / 12 = 1, s = 1/4, ± 1.959964 × 0.25 / 2 = 0.2449955
      zeroShare: 0.875,
      zeroShareLow: close(0.6300045),
      zeroShareHigh: 1,
      maxActivation: 2,
      meanMax: 0.5,
      dead: false,
      deadBound: null,
      // the rate's is wider: 1.959964 √(0.1875 n + 3.841459/4) = 0.01 (n + 3.841459) at n = 7200.2
      moreImages: 7201 - 4,
    },
    expect.objectContaining({
      layer: 'wide',
      filter: 1,
      blank: 0,
      blankRate: 0,
      blankRateLow: 0,
      blankRateHigh: close(wilson(0, 4)?.high ?? NaN),
      // zeros 1 0 2 1 of 4: 4/16; s² = (4 × 6 − 4²) / 12 = 2/3, s = 0.8164966/4 = 0.2041241, ± 0.2000379
      zeroShare: 0.25,
      zeroShareLow: close(0.0499621),
      zeroShareHigh: close(0.4500379),
      maxActivation: 4,
      meanMax: 1.875, // 7.5 / 4
    }),
    expect.objectContaining({ layer: 'deep', filter: 0, blank: 2, blankRate: 0.5, meanMax: 1 }),
  ]);
});

test('layers of four images by hand', () => {
  expect(summarizeLayers(accumulate(FOUR_IMAGES))).toEqual([
    {
      layer: 'wide',
      filters: 2,
      positions: 4,
      images: 4,
      // blank filters 1 0 1 1 of 2: 3/8; s² = (4 × 3 − 3²) / 12 = 1/4, s = 0.5/2 = 0.25, ± 0.2449955
      blankRate: 0.375,
      blankRateLow: close(0.1300045),
      blankRateHigh: close(0.6199955),
      // zeros 5 2 6 5 of 8: 18/32; s² = (4 × 90 − 18²) / 12 = 3, s = 1.7320508/8 = 0.2165064, ± 0.2121723
      zeroShare: 0.5625,
      zeroShareLow: close(0.3503277),
      zeroShareHigh: close(0.7746723),
      dead: 0,
      deadBound: close(1 - 0.4728708), // 0.05^(1/4)
      mostlyZero: 0, // wide/0 is at 0.875
      moreImages: 2401 - 4, // (1.959964 × 0.25 / 0.01)² = 2400.9
    },
    expect.objectContaining({
      layer: 'deep',
      filters: 1,
      // blank filters 1 0 1 0 of 1: s² = (4 × 2 − 2²) / 12 = 1/3, ± 1.959964 × 0.5773503 / 2 = 0.565793, clipped
      blankRate: 0.5,
      blankRateLow: 0,
      blankRateHigh: 1,
      // zeros 2 1 2 0 of 2: 5/8; s² = (4 × 9 − 5²) / 12 = 11/12, s = 0.9574271/2 = 0.4787136, ± 0.4691306
      zeroShare: 0.625,
      zeroShareLow: close(0.1558694),
      zeroShareHigh: 1,
    }),
  ]);
});

test('a dead filter has its bound, and Wilson where all images are equal', () => {
  const images = [0, 1, 2].map((row) => ({ row, classIds: [], readings: readingsOf([4, 1, 2], [0, 1, 0]) }));
  const filters = summarizeFilters(accumulate(images));
  const all = wilson(3, 3);
  expect(filters[0]).toMatchObject({
    blank: 3,
    blankRate: 1,
    dead: true,
    deadBound: deadBound(3),
    zeroShare: 1,
  });
  expect(filters[0]).toMatchObject({
    zeroShareLow: all?.low,
    zeroShareHigh: 1,
    maxActivation: 0,
    meanMax: 0,
  });
  const quarter = wilson(0.75, 3); // a quarter of zeros on each of three images
  expect(filters[1]).toMatchObject({ dead: false, zeroShareLow: quarter?.low, zeroShareHigh: quarter?.high });
  const half = wilson(1.5, 3); // one blank filter of two on each
  const [wide, deep] = summarizeLayers(accumulate(images));
  expect(wide).toMatchObject({ dead: 1, deadBound: deadBound(3), mostlyZero: 1 });
  expect(wide).toMatchObject({ blankRateLow: half?.low, blankRateHigh: half?.high });
  expect(deep).toMatchObject({ dead: 1, blankRate: 1, blankRateLow: all?.low, blankRateHigh: 1 });
});

test('exactly 90 % zeros are not above 90 %', () => {
  const layers = [{ layer: 'ten', filters: 3, positions: 10 }];
  const zeros = [
    [9, 9, 8],
    [9, 10, 9],
    [9, 9, 9],
  ];
  const images = zeros.map((zeros, row) => {
    const max = zeros.map((count) => (count === 10 ? 0 : 1));
    return { row, classIds: [], readings: readingsOf(zeros, max) };
  });
  expect(summarizeLayers(accumulate(images, layers))[0].mostlyZero).toBe(1);
});

test('one image has rates and no interval', () => {
  const one = accumulate(FOUR_IMAGES.slice(0, 1));
  const none = {
    blankRateLow: null,
    blankRateHigh: null,
    zeroShareLow: null,
    zeroShareHigh: null,
    moreImages: null,
  };
  expect(summarizeFilters(one)[0]).toMatchObject({ ...none, blankRate: 1, zeroShare: 1, dead: true });
  expect(summarizeFilters(one)[0].deadBound).toBeCloseTo(0.95, 12);
  expect(summarizeLayers(one)[0]).toMatchObject({ ...none, blankRate: 0.5, zeroShare: 5 / 8, dead: 1 });
});

test('no image has no rate, and nothing dead', () => {
  const empty = accumulate([]);
  const none = {
    images: 0,
    blankRate: null,
    blankRateLow: null,
    zeroShare: null,
    zeroShareHigh: null,
    deadBound: null,
    moreImages: null,
  };
  const noMaximum = { blank: 0, maxActivation: null, meanMax: null };
  expect(summarizeFilters(empty)[0]).toMatchObject({ ...none, ...noMaximum, dead: false });
  expect(summarizeLayers(empty)[0]).toMatchObject({ ...none, dead: 0, mostlyZero: 0 });
});
