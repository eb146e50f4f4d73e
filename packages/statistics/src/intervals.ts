/** Two-sided 95 % point of the standard normal distribution. */
export const Z95 = 1.959963984540054;

/** A confidence interval, ends included. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * Wilson's score interval for a share (Wilson 1927; Newcombe 1998, method 3), null with `n` = 0.
 * `(p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n)` with `p = successes / n`.
 * @param successes `0 … n`; need not be whole, for a mean of shares.
 * @throws RangeError for `successes` outside `0 … n`.
 */
export function wilson(successes: number, n: number, z: number = Z95): Interval | null {
  if (!(successes >= 0 && successes <= n)) throw new RangeError(`${successes} successes of ${n} cannot be`);
  if (n === 0) return null;
  const p = successes / n;
  const zz = (z * z) / n;
  const centre = (p + zz / 2) / (1 + zz);
  const half = wilsonHalfWidth(p, n, z);
  return {
    low: successes === 0 ? 0 : Math.max(0, centre - half), // exact ends, which rounding would miss
    high: successes === n ? 1 : Math.min(1, centre + half),
  };
}

/** Half the width of Wilson's interval for the share `p` of `n`. Falls with `n`. */
export function wilsonHalfWidth(p: number, n: number, z: number = Z95): number {
  const zz = (z * z) / n;
  return (z / (1 + zz)) * Math.sqrt((p * (1 - p)) / n + zz / (4 * n));
}

/** Exact sums over images of an integer `x` that counts parts: the value of an image is `x / unit`. */
export interface MeanSums {
  /** Images. */
  readonly n: number;
  /** Σx */
  readonly sum: bigint;
  /** Σx² */
  readonly sumOfSquares: bigint;
  /** Parts in 1: a map's positions for a zero share. */
  readonly unit: number;
}

/** The mean over images, null of none. */
export function meanOf({ n, sum, unit }: MeanSums): number | null {
  return n === 0 ? null : Number(sum) / (n * unit);
}

/** The sample standard deviation (n − 1) between images, null below two. */
export function standardDeviation(sums: MeanSums): number | null {
  const { n, unit } = sums;
  return n < 2 ? null : Math.sqrt(Number(scaledSpread(sums)) / (n * (n - 1))) / unit;
}

/**
 * The interval of a mean of shares, from the spread between images: `mean ± z s / √n`, clipped to 0 … 1. Images
 * that are all equal have no spread to judge by: Wilson's with `n` then. Null below two images.
 * @param unseen share of all images that may be at 0, or at 1, and unlike any of these
 */
export function meanInterval(sums: MeanSums, z: number = Z95, unseen: number = 0): Interval | null {
  const mean = meanOf(sums);
  const deviation = standardDeviation(sums);
  if (mean === null || deviation === null) return null;
  if (deviation === 0) return wilson(Number(sums.sum) / sums.unit, sums.n, z);
  const half = (z * deviation) / Math.sqrt(sums.n);
  return {
    low: Math.max(0, mean - half - mean * unseen),
    high: Math.min(1, mean + half + (1 - mean) * unseen),
  };
}

/**
 * What share of images a filter that was blank on all of `n` may still fire on: `1 − 0.05^(1/n)`, one-sided 95 %
 * (about 3/n, the rule of three: Hanley & Lippman-Hand 1983). 1 with `n` = 0: nothing is known.
 *
 * It holds however often it is looked at. Let the filter fire on a share `q` of all images, and let `m` be the smallest `n` with which
 * the statement `q < bound` is false, that is `(1 − q)^n ≤ 0.05`. Whoever makes a false statement does so with some `n ≥ m`, the
 * filter being blank on the first `n` images; then it was blank on the first `m`, too, which has a chance of `(1 − q)^m ≤ 0.05`.
 */
export function deadBound(n: number): number {
  return -Math.expm1(Math.log(0.05) / n); // `1 − …` would lose digits with large n
}

/** `n Σx² − (Σx)²` = n(n − 1) s², in integers: in floating point, sums nearly equal would cancel to noise. */
function scaledSpread({ n, sum, sumOfSquares }: MeanSums): bigint {
  const spread = BigInt(n) * sumOfSquares - sum * sum;
  if (spread < 0n) throw new RangeError('the sum of squares is too small for its sum');
  return spread;
}
