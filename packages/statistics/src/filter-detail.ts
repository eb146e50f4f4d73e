import type { Accumulator } from './accumulator.ts';
import { binEdges, HISTOGRAM_BINS } from './histogram.ts';
import { standardDeviation } from './intervals.ts';
import { ONE_LOOK, type Reach } from './reach.ts';
import { maxSums, shareOfImages, summarizeFilter, type FilterSummary } from './summary.ts';
import { listTopImages, type TopImage } from './top-images.ts';

/** A bin of the histogram of maxima that holds images: those with `low ≤ maximum < high`; `0 … 0` for blank. */
export interface HistogramBin {
  readonly low: number;
  readonly high: number;
  readonly images: number;
}

/** How often a filter is blank on the images of one class. */
export interface ClassBlankRate {
  /** Index in the run's class list. */
  readonly classId: number;
  readonly images: number;
  readonly blank: number;
  readonly blankRate: number;
  /** Ends of the 95 % interval, Wilson's; null below two images. */
  readonly blankRateLow: number | null;
  readonly blankRateHigh: number | null;
}

/** One filter in full. */
export interface FilterDetail extends FilterSummary {
  /** Sample standard deviation of the maximum between images; null below two. */
  readonly standardDeviationMax: number | null;
  /** Quantiles of the maximum over all images, blank ones as 0, estimated from the histogram; null without images. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  /** Bins that hold images, in order. */
  readonly histogram: readonly HistogramBin[];
  /** The images on which the filter is strongest, strongest first. */
  readonly topImages: readonly TopImage[];
  /** Classes that have images, by index. */
  readonly classes: readonly ClassBlankRate[];
}

/**
 * One filter in full.
 * @param filter its number within the layer.
 * @throws RangeError for a layer or filter that is not among those measured.
 */
export function filterDetail(
  accumulator: Accumulator,
  layer: string,
  filter: number,
  reach: Reach = ONE_LOOK,
): FilterDetail {
  let start = 0;
  for (const shape of accumulator.layers) {
    if (shape.layer === layer && Number.isInteger(filter) && filter >= 0 && filter < shape.filters) {
      const summary = summarizeFilter(accumulator, shape, start, filter, reach);
      const index = start + filter;
      const histogram = filledBins(accumulator, index);
      const largest = accumulator.largest[index];
      return {
        ...summary,
        standardDeviationMax: standardDeviation(maxSums(accumulator, index)),
        p50: quantile(histogram, 0.5, largest),
        p90: quantile(histogram, 0.9, largest),
        p99: quantile(histogram, 0.99, largest),
        histogram,
        topImages: listTopImages(accumulator.top, index),
        classes: blankRatesByClass(accumulator, index, reach),
      };
    }
    start += shape.filters;
  }
  throw new RangeError(`there is no filter ${layer}/${filter}`);
}

/**
 * The maximum that a share of the images does not exceed, as the histogram tells it: exact to its bin, a factor of 2^¼,
 * and within the bin interpolated on a logarithmic scale as if its images were spread evenly there. The bin
 * that begins at 0 has no logarithm and is interpolated linearly. Never above `largest`. Null of no images.
 * @param bins in order, each with images.
 */
export function quantile(bins: readonly HistogramBin[], share: number, largest: number): number | null {
  const wanted = share * bins.reduce((sum, bin) => sum + bin.images, 0);
  let before = 0;
  for (const bin of bins) {
    if (before + bin.images >= wanted) {
      const high = Math.min(bin.high, largest);
      const fraction = (wanted - before) / bin.images;
      return bin.low === 0 ? high * fraction : bin.low * (high / bin.low) ** fraction;
    }
    before += bin.images;
  }
  return null;
}

function filledBins(accumulator: Accumulator, index: number): HistogramBin[] {
  const bins: HistogramBin[] = [];
  for (let bin = 0; bin < HISTOGRAM_BINS; bin++) {
    const images = accumulator.histogram[index * HISTOGRAM_BINS + bin];
    if (images > 0) bins.push({ ...binEdges(bin), images });
  }
  return bins;
}

function blankRatesByClass(accumulator: Accumulator, index: number, reach: Reach): ClassBlankRate[] {
  return [...accumulator.classes]
    .toSorted(([a], [b]) => a - b)
    .map(([classId, { images, blank }]) => {
      const { low, high } = shareOfImages(blank[index], images, reach);
      return {
        classId,
        images,
        blank: blank[index],
        blankRate: blank[index] / images,
        blankRateLow: low,
        blankRateHigh: high,
      };
    });
}
