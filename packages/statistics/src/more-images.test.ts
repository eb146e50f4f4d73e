import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wilson, type MeanSums } from './intervals.ts';
import { ONE_LOOK, rateInterval, REPEATED_LOOKS } from './reach.ts';
import { halfWidthOfMean, halfWidthOfRate, moreImages } from './more-images.ts';

const Z = 1.959963984540054;

test('by hand', () => {
  // Half of 0 … z²/(n + z²) is 0.01 where n = 49 z² = 188.2
  expect(moreImages([halfWidthOfRate(0, 20, ONE_LOOK)], 20)).toBe(189 - 20);
  expect(moreImages([halfWidthOfRate(0, 188, ONE_LOOK)], 188)).toBe(1);
  expect(moreImages([halfWidthOfRate(0, 189, ONE_LOOK)], 189)).toBe(0);
  // Shares 0 and 1 in equal parts, s² = n/(n − 1)/4: four times (z/0.02)² s² = 9603.6 × 4/3 = 12804.9
  const halves = { n: 4, sum: 2n, sumOfSquares: 2n, unit: 1 };
  expect(moreImages([halfWidthOfMean(halves, ONE_LOOK)], 4)).toBe(12_805 - 4);
  // The wider one decides.
  expect(moreImages([halfWidthOfRate(0, 4, ONE_LOOK), halfWidthOfMean(halves, ONE_LOOK)], 4)).toBe(
    12_805 - 4,
  );
});

test('nothing is said of fewer than two images', () => {
  expect(moreImages([halfWidthOfRate(1, 1, ONE_LOOK)], 1)).toBeNull();
  expect(moreImages([], 0)).toBeNull();
});

const IMAGES = fc.integer({ min: 2, max: 1_000_000 });

test('with so many more a rate is within a point, with one fewer it is not', () => {
  fc.assert(
    fc.property(IMAGES, fc.double({ min: 0, max: 1, noNaN: true }), (images, rate) => {
      const count = Math.round(rate * images);
      const more = moreImages([halfWidthOfRate(count, images, ONE_LOOK)], images)!;
      const halfWidth = (n: number) => {
        const { low, high } = wilson((count / images) * n, n)!;
        return (high - low) / 2;
      };
      expect(halfWidth(images + more)).toBeLessThanOrEqual(0.01 + 1e-12);
      if (more > 0) expect(halfWidth(images + more - 1)).toBeGreaterThan(0.01 - 1e-12);
    }),
  );
});

test('with so many more a rate that is looked at repeatedly is within a point, with one fewer it is not', () => {
  fc.assert(
    fc.property(IMAGES, fc.double({ min: 0, max: 1, noNaN: true }), (images, rate) => {
      const count = Math.round(rate * images);
      const more = moreImages([halfWidthOfRate(count, images, REPEATED_LOOKS)], images)!;
      const halfWidth = (n: number) => {
        const { low, high } = rateInterval((count * n) / images, n, REPEATED_LOOKS)!;
        return (high - low) / 2;
      };
      expect(halfWidth(images + more)).toBeLessThanOrEqual(0.01);
      if (more > 0) expect(halfWidth(images + more - 1)).toBeGreaterThan(0.01);
    }),
  );
});

test('with so many more a mean is within a point, with one fewer it is not', () => {
  const shares = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 2, maxLength: 40 });
  fc.assert(
    fc.property(shares, (parts) => {
      const sums: MeanSums = {
        n: parts.length,
        sum: BigInt(parts.reduce((a, b) => a + b)),
        sumOfSquares: BigInt(parts.reduce((a, b) => a + b * b, 0)),
        unit: 1000,
      };
      const more = moreImages([halfWidthOfMean(sums, ONE_LOOK)], sums.n)!;
      const mean = parts.reduce((a, b) => a + b) / parts.length;
      const spread = parts.reduce((sum, part) => sum + (part - mean) ** 2, 0) / (parts.length - 1);
      fc.pre(spread > 0);
      const halfWidth = (n: number) => (Z * Math.sqrt(spread / n)) / 1000;
      expect(halfWidth(sums.n + more)).toBeLessThanOrEqual(0.01 + 1e-12);
      if (more > 0) expect(halfWidth(sums.n + more - 1)).toBeGreaterThan(0.01 - 1e-12);
    }),
  );
});
