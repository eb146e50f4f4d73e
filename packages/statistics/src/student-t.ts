import { Z95 } from './intervals.ts';
import { logGamma } from './log-gamma.ts';

const LOG_GAMMA_HALF = 0.5 * Math.log(Math.PI);

/**
 * ln P(|T| ≥ t) of Student's t with `df` degrees of freedom, which need not be whole: `I_x(df/2, 1/2)` with
 * `x = df / (df + t²)` (Abramowitz & Stegun 26.7.1). In logarithms, sound however far out.
 * @param t ≥ 0
 */
export function studentLogP(t: number, df: number): number {
  if (t === 0) return 0;
  if (t === Infinity) return -Infinity;
  const a = df / 2;
  const square = (t * t) / df;
  const logX = -Math.log1p(square);
  const logRest = -Math.log1p(1 / square);
  const logBeta = logGamma(a) + LOG_GAMMA_HALF - logGamma(a + 0.5);
  const logFront = a * logX + 0.5 * logRest - logBeta;
  const x = Math.exp(logX);
  if (x < (a + 1) / (a + 2.5)) return logFront - Math.log(a) + Math.log(betaFraction(a, 0.5, x));
  const within = Math.exp(logFront - Math.log(0.5)) * betaFraction(0.5, a, Math.exp(logRest));
  return Math.log1p(-within);
}

/** Degrees of freedom from which the expansion alone is exact to 10⁻⁹. */
const MANY = 100;

/** Two-sided 95 % point of Student's t. @param df degrees of freedom, at least 1 */
export function student95(df: number): number {
  let t = expansion95(df);
  if (df >= MANY) return t;
  // Newton's method on ln p over ln t, which is nearly a straight line.
  for (let step = 0; step < 5; step++) {
    const logP = studentLogP(t, df);
    const logDensity =
      logGamma((df + 1) / 2) -
      logGamma(df / 2) -
      0.5 * Math.log(df * Math.PI) -
      ((df + 1) / 2) * Math.log1p((t * t) / df);
    const slope = -2 * t * Math.exp(logDensity - logP);
    t *= Math.exp((Math.log(0.05) - logP) / slope);
  }
  return t;
}

/** Abramowitz & Stegun 26.7.5. */
function expansion95(df: number): number {
  const z = Z95;
  const g1 = (z ** 3 + z) / 4;
  const g2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const g3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  const g4 = (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / 92_160;
  return z + g1 / df + g2 / df ** 2 + g3 / df ** 3 + g4 / df ** 4;
}

/** The continued fraction of the incomplete beta function (DLMF 8.17.22) by Lentz's method, for `x < (a + 1) / (a + b + 2)`. */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1;
  let d = 1 / (1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; ; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / (1 + even * d);
    c = 1 + even / c;
    value *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / (1 + odd * d);
    c = 1 + odd / c;
    const factor = d * c;
    value *= factor;
    if (Math.abs(factor - 1) < 1e-14) return value;
  }
}
