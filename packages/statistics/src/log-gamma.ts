const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);
/** Below this Stirling's series is not exact to a double; the recurrence leads above it. */
const STIRLING_FROM = 10;

/** ln Γ(x), x > 0: Stirling's series (Abramowitz & Stegun 6.1.41), exact to some 10⁻¹⁵ of its value. */
export function logGamma(x: number): number {
  let shift = 1;
  let at = x;
  for (; at < STIRLING_FROM; at++) shift *= at;
  const square = 1 / (at * at);
  const series =
    (1 / 12 -
      square *
        (1 / 360 -
          square * (1 / 1260 - square * (1 / 1680 - square * (1 / 1188 - square * (691 / 360_360)))))) /
    at;
  return (at - 0.5) * Math.log(at) - at + HALF_LOG_2PI + series - Math.log(shift);
}

/** Logarithm of the number of ways to choose `k` of `n`. */
export function logChoose(n: number, k: number): number {
  if (k === 0 || k === n) return 0;
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
