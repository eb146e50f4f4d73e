import { meanOf, standardDeviation, wilsonHalfWidth, type MeanSums } from './intervals.ts';
import { rateInterval, type Reach } from './reach.ts';

/** Half a width that is enough: one percentage point. */
export const ENOUGH = 0.01;

/** Half the width that an interval has with `n` images like those there are. Falls with `n`. */
export type HalfWidth = (n: number) => number;

/** Of the rate of `count` in `images`. */
export function halfWidthOfRate(count: number, images: number, reach: Reach): HalfWidth {
  return (n) => {
    const { low, high } = rateInterval((count * n) / images, n, reach)!;
    return (high - low) / 2;
  };
}

/** Of a mean of shares, before it is clipped; without end below two images. */
export function halfWidthOfMean(sums: MeanSums, { z, least }: Reach): HalfWidth {
  const mean = meanOf(sums);
  const deviation = standardDeviation(sums);
  if (mean === null || deviation === null) return () => Infinity;
  if (deviation === 0) return (n) => wilsonHalfWidth(mean, n, z(n));
  return (n) => (z(n) * deviation) / Math.sqrt(n) + least / (2 * n);
}

/**
 * How many images more would bring every one of these intervals to ±`goal`, if they are like the `images` there are: 0 where
 * all are that narrow, null below two images.
 */
export function moreImages(
  halfWidths: readonly HalfWidth[],
  images: number,
  goal: number = ENOUGH,
): number | null {
  if (images < 2) return null;
  const enough = (n: number) => halfWidths.every((halfWidth) => halfWidth(n) <= goal);
  if (enough(images)) return 0;
  let [few, many] = [images, 2 * images]; // few are not enough
  while (!enough(many)) [few, many] = [many, 2 * many];
  while (many - few > 1) {
    const middle = Math.floor((few + many) / 2);
    if (enough(middle)) many = middle;
    else few = middle;
  }
  return many - images;
}
