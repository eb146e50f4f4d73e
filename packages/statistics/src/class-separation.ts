import { blankImages, type Accumulator } from './accumulator.ts';
import { adjustLogP, fromLogP, type Adjustment } from './adjust-p.ts';
import { fisherLogP } from './exact-tests.ts';
import { rateDifferenceInterval } from './rate-differences.ts';
import { ONE_LOOK, type Reach } from './reach.ts';
import { shareOfImages } from './summary.ts';

/** A filter on the images of one class and on all others. Rates are fractions. */
export interface ClassRow {
  /** Index in the run's class list. */
  readonly classId: number;
  readonly layer: string;
  /** Number within the layer. */
  readonly filter: number;
  /** Images of the class, and those of them on which the filter is blank. */
  readonly images: number;
  readonly blank: number;
  readonly blankRate: number;
  /** Ends of Wilson's 95 % interval; null below two images. */
  readonly blankRateLow: number | null;
  readonly blankRateHigh: number | null;
  /** All other images, those without a class among them. */
  readonly restImages: number;
  readonly restBlank: number;
  readonly restBlankRate: number;
  /** Class minus rest, with Newcombe's 95 % interval; null below two images on either side. */
  readonly difference: number;
  readonly low: number | null;
  readonly high: number | null;
  /** Of Fisher's exact test, over all rows of the question. */
  readonly adjustedP: number;
}

export interface ClassQuestion {
  /** Classes to tell from the rest, each with at least one image and one in the rest. */
  readonly classIds: readonly number[];
  /** Only the filters of this layer. */
  readonly layer?: string;
  readonly adjust: Adjustment;
}

/**
 * How each filter's blank rate on each class differs from that on the rest, surest first. Classes need not be apart: an image
 * may be of several, so that the rest of a class is all images less its own. Rows are made as they are asked for: a thousand
 * classes have four million.
 * @param reach of the classes' own rates; differences and p-values are those of a single look
 */
export function* separateClasses(
  accumulator: Accumulator,
  question: ClassQuestion,
  reach: Reach = ONE_LOOK,
): Generator<ClassRow> {
  const filters = filtersOf(accumulator, question.layer);
  const pairs = question.classIds.length * filters.length;
  const logP = new Float64Array(pairs);
  const distance = new Float64Array(pairs);
  for (let pair = 0; pair < pairs; pair++) {
    const { inClass, inRest } = countsOf(accumulator, question.classIds, filters, pair);
    logP[pair] = fisherLogP(inRest.successes, inRest.n, inClass.successes, inClass.n);
    distance[pair] = Math.abs(inClass.successes / inClass.n - inRest.successes / inRest.n);
  }
  const adjusted = adjustLogP(logP, question.adjust);
  const order = Uint32Array.from({ length: pairs }, (_, pair) => pair);
  order.sort((x, y) => logP[x] - logP[y] || distance[y] - distance[x] || x - y);
  for (const pair of order) {
    const { classId, filter, inClass, inRest } = countsOf(accumulator, question.classIds, filters, pair);
    const { share, low, high } = shareOfImages(inClass.successes, inClass.n, reach);
    const rest = inRest.successes / inRest.n;
    yield {
      classId,
      layer: filter.layer,
      filter: filter.number,
      images: inClass.n,
      blank: inClass.successes,
      blankRate: share!,
      blankRateLow: low,
      blankRateHigh: high,
      restImages: inRest.n,
      restBlank: inRest.successes,
      restBlankRate: rest,
      difference: share! - rest,
      ...(rateDifferenceInterval(inRest, inClass) ?? { low: null, high: null }),
      adjustedP: fromLogP(adjusted[pair]),
    };
  }
}

interface FilterPlace {
  readonly layer: string;
  readonly number: number;
  /** Counted over all layers. */
  readonly index: number;
}

function filtersOf({ layers }: Accumulator, only: string | undefined): FilterPlace[] {
  let start = 0;
  return layers.flatMap(({ layer, filters }) => {
    const first = start;
    start += filters;
    if (only !== undefined && layer !== only) return [];
    return Array.from({ length: filters }, (_, number) => ({ layer, number, index: first + number }));
  });
}

/** Pairs run over the filters of the first class, then over those of the second. */
function countsOf(
  accumulator: Accumulator,
  classIds: readonly number[],
  filters: readonly FilterPlace[],
  pair: number,
) {
  const classId = classIds[Math.floor(pair / filters.length)];
  const filter = filters[pair % filters.length];
  const { images, blank } = accumulator.classes.get(classId)!;
  const inClass = { successes: blank[filter.index], n: images };
  const inRest = {
    successes: blankImages(accumulator, filter.index) - inClass.successes,
    n: accumulator.images - images,
  };
  return { classId, filter, inClass, inRest };
}
