import { meanOf, standardDeviation, wilsonHalfWidth, Z95, type MeanSums } from './intervals.ts';

/** Half a width that is enough: one percentage point. */
export const ENOUGH = 0.01;

/** Half the width that an interval has with `n` images like those there are. Falls with `n`. */
export type HalfWidth = (n: number) => number;

/** Of the rate of `count` in `images`. */
export const halfWidthOfRate =
  (count: number, images: number): HalfWidth =>
  (n) =>
    wilsonHalfWidth(count / images, n);

/** Of a mean of shares, before it is clipped; without end below two images. */
export function halfWidthOfMean(sums: MeanSums): HalfWidth {
  const mean = meanOf(sums);
  const deviation = standardDeviation(sums);
  if (mean === null || deviation === null) return () => Infinity;
  return deviation === 0 ? (n) => wilsonHalfWidth(mean, n) : (n) => (Z95 * deviation) / Math.sqrt(n);
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
