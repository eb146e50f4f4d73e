import { standardDeviation, wilson, type Interval, type MeanSums } from './intervals.ts';
import { student95 } from './student-t.ts';

/**
 * Exact sums over images that come in clusters of images alike. Of cluster g: its images n_g, and S_g, its images' `x` added up.
 * As in `MeanSums`, an image's value is `x / unit`.
 */
export interface ClusterSums extends MeanSums {
  readonly clusters: number;
  /** Σ n_g² */
  readonly sizesSquared: bigint;
  /** Σ S_g² */
  readonly sumsSquared: bigint;
  /** Σ S_g n_g */
  readonly sumsBySizes: bigint;
}

/**
 * Variance of the mean over images, robust against any dependence within clusters: the mean is a ratio of cluster totals, linearised,
 * `G / (G − 1) · Σ (S_g − n_g m)² / n²` (Cameron & Miller 2015, section II, for a regression on a constant). From integers, in
 * which nothing cancels. @throws RangeError below two clusters.
 */
export function clusterVariance(sums: ClusterSums): number {
  const { clusters, n, sum, unit, sizesSquared, sumsSquared, sumsBySizes } = sums;
  if (clusters < 2) throw new RangeError('the variance between clusters takes two of them');
  const images = BigInt(n);
  // n² Σ (S_g − n_g T/n)², with T the sum over all images
  const spread = images * images * sumsSquared - 2n * images * sum * sumsBySizes + sum * sum * sizesSquared;
  return ((clusters / (clusters - 1)) * Number(spread)) / n ** 4 / unit ** 2;
}

/** Variance of the mean if images were independent. */
function independentVariance(sums: ClusterSums): number {
  return standardDeviation(sums)! ** 2 / sums.n;
}

/**
 * How many times larger the variance is than that of as many independent images (Kish 1965): 1 for clusters that mean nothing, the
 * clusters' size for copies. Null where all images are equal and there is no variance.
 */
export function designEffect(sums: ClusterSums): number | null {
  const independent = independentVariance(sums);
  return independent === 0 ? null : clusterVariance(sums) / independent;
}

/** What images count for, all their clusters considered: n by the design effect, at most n; the clusters where all images are equal. */
function effectiveImages(sums: ClusterSums): number {
  const effect = designEffect(sums);
  return effect === null ? sums.clusters : sums.n / Math.max(1, effect);
}

/**
 * The interval of a mean of shares: `m ± t √V` with Student's t of G − 1 degrees of freedom (Cameron & Miller 2015, section VI), clipped to
 * 0 … 1. V is never below that of independent images. Where all images are equal, Wilson's over clusters.
 */
export function clusteredMeanInterval(sums: ClusterSums): Interval {
  const mean = Number(sums.sum) / (sums.n * sums.unit);
  const t = student95(sums.clusters - 1);
  if (designEffect(sums) === null) return wilson(mean * sums.clusters, sums.clusters, t)!;
  const half = t * Math.sqrt(Math.max(clusterVariance(sums), independentVariance(sums)));
  return { low: Math.max(0, mean - half), high: Math.min(1, mean + half) };
}

/**
 * The interval of a rate, `unit` 1: Wilson's with the effective number of images in place of n and Student's t in place of z, which holds near 0
 * and 1, where `m ± t √V` does not (Korn & Graubard 1998; Franco, Little, Louis & Slud 2019).
 */
export function clusteredRateInterval(sums: ClusterSums): Interval {
  const images = effectiveImages(sums);
  const rate = Number(sums.sum) / sums.n;
  // Rounding must not take the product above the effective images.
  return wilson(rate === 1 ? images : rate * images, images, student95(sums.clusters - 1))!;
}
