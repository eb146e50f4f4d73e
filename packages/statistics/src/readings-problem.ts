import { filterCount, type LayerShape, type Readings } from './readings.ts';

/** Maxima must be below this, 2^24: sums are kept in fixed point, and 10 million images must fit. */
export const MAX_ACTIVATION = 2 ** 24;

/**
 * What keeps an image's readings out of the statistics, in words for users, or null for sound readings: a maximum or
 * mean that is not a number, is negative or not below {@link MAX_ACTIVATION}, more zeros than positions, a position
 * outside the map, or a filter whose zeros and maximum disagree on whether it is blank. Such an image counts as
 * failed: an average must not quietly take in a NaN.
 * @throws RangeError for readings of another number of filters, which is no image's fault.
 */
export function readingsProblem(layers: readonly LayerShape[], readings: Readings): string | null {
  checkLengths(layers, readings);
  const { zeros, max, mean, position } = readings;
  let filter = 0;
  for (const { filters, positions } of layers) {
    for (const end = filter + filters; filter < end; filter++) {
      const peak = max[filter];
      const average = mean[filter];
      // Written so that NaN is out of range.
      const inRange =
        peak >= 0 &&
        peak < MAX_ACTIVATION &&
        average >= 0 &&
        average < MAX_ACTIVATION &&
        zeros[filter] <= positions &&
        position[filter] < positions &&
        (peak === 0) === (zeros[filter] === positions);
      if (!inRange) return describe(layers, readings, filter);
    }
  }
  return null;
}

function checkLengths(layers: readonly LayerShape[], readings: Readings): void {
  const filters = filterCount(layers);
  for (const [name, { length }] of Object.entries(readings)) {
    if (length !== filters) {
      throw new RangeError(`the readings hold ${length} values of ${name} for ${filters} filters`);
    }
  }
}

function describe(layers: readonly LayerShape[], readings: Readings, filter: number): string {
  const { layer, number, positions } = nameOf(layers, filter);
  const what =
    `maximum ${readings.max[filter]}, mean ${readings.mean[filter]}, ` +
    `${readings.zeros[filter]} zeros of ${positions} positions, maximum at ${readings.position[filter]}`;
  return `${layer}/${number} gave readings that cannot be: ${what}; activations must be below ${MAX_ACTIVATION}`;
}

function nameOf(layers: readonly LayerShape[], filter: number) {
  let number = filter;
  for (const { layer, filters, positions } of layers) {
    if (number < filters) return { layer, number, positions };
    number -= filters;
  }
  throw new RangeError(`there is no filter ${filter}`);
}
