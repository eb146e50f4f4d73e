/** Of a layer's largest activation: float32 adds up to 4,608 products in another order, and Winograd's sums cancel more. */
export const ARITHMETIC = 1e-4;

/** Activations of a layer each `[filter, row, column]`. */
export type Maps = readonly Float32Array[];

/** How far two layers' activations are apart, of the largest of the first. */
export function largestDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): { readonly deviation: number } {
  let [largest, error] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, a[i]);
    error = Math.max(error, Math.abs(a[i] - b[i]));
  }
  return { deviation: error / (largest || 1) };
}

export function largestOf(values: Float32Array): number {
  return values.reduce((largest, value) => Math.max(largest, value), 0);
}

export const worstOf = <Difference extends { readonly deviation: number }>(
  all: readonly Difference[],
): Difference => all.reduce((worst, one) => (one.deviation <= worst.deviation ? worst : one));
