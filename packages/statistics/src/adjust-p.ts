/** How p-values of a family are adjusted: Benjamini–Hochberg (1995), or Benjamini–Yekutieli (2001), which holds for any dependence. */
export const ADJUSTMENTS = ['bh', 'by'] as const;
export type Adjustment = (typeof ADJUSTMENTS)[number];

/**
 * Adjusted p-values of a family: the smallest false discovery rate at which each is a discovery. In natural logarithms, in
 * the order given.
 */
export function adjustLogP(logP: Float64Array, adjustment: Adjustment): Float64Array {
  const m = logP.length;
  const sorted = logP.toSorted();
  const adjusted = new Float64Array(m);
  const penalty = Math.log(m) + (adjustment === 'by' ? Math.log(harmonic(m)) : 0);
  let least = 0;
  for (let i = m - 1; i >= 0; i--) {
    least = Math.min(least, sorted[i] + penalty - Math.log(i + 1));
    adjusted[i] = least;
  }
  return logP.map((value) => adjusted[lastIndexOf(sorted, value)]);
}

/** A p-value from its logarithm; never 0, which no p-value is, but at least the smallest double. */
export function fromLogP(logP: number): number {
  return Math.max(Math.exp(logP), Number.MIN_VALUE);
}

function harmonic(m: number): number {
  let sum = 0;
  for (let i = m; i > 0; i--) sum += 1 / i;
  return sum;
}

/** Where the last of the values equal to `value` stands. */
function lastIndexOf(sorted: Float64Array, value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (sorted[middle] <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
