import { logChoose } from './log-gamma.ts';

// Two exact tests of counts. Each p-value is twice the smaller tail (the central one of Fay 2010), and given as its natural
// logarithm: with a million images it is commonly below the smallest double. They hold what they promise with any number of
// images, which the chi-square tests do not where few are blank, and only there do the two differ.

/**
 * Fisher's exact test of `successes` of `n` against those of another sample (Fisher 1935). Conditional on the margins, the
 * first count is hypergeometric.
 * @returns ln p, two-sided.
 */
export function fisherLogP(successesA: number, nA: number, successesB: number, nB: number): number {
  const successes = successesA + successesB;
  const all = nA + nB;
  if (successes === 0 || successes === all || nA === 0 || nB === 0) return 0;
  const logProbability =
    logChoose(successes, successesA) + logChoose(all - successes, nA - successesA) - logChoose(all, nA);
  const above = successesA * all >= nA * successes;
  // Both tails run away from the mean; the lower one is the upper one of the failures.
  const x = above ? successesA : nA - successesA;
  const marked = above ? successes : all - successes;
  const rest = all - marked - nA;
  return twiceTail(logProbability, (step) => {
    const at = x + step;
    return ((marked - at) * (nA - at)) / ((at + 1) * (rest + at + 1));
  });
}

/**
 * McNemar's exact test (McNemar 1947): of the pairs that differ, as many each way? Binomial with one half, whatever the
 * number of pairs.
 * @param onlyA pairs with success in the first alone @param onlyB in the second alone
 * @returns ln p, two-sided.
 */
export function mcnemarLogP(onlyA: number, onlyB: number): number {
  const n = onlyA + onlyB;
  const x = Math.max(onlyA, onlyB);
  const logProbability = logChoose(n, x) - n * Math.LN2;
  return twiceTail(logProbability, (step) => (n - x - step) / (x + step + 1));
}

/** Where the further terms of a tail can no longer be seen in its sum. */
const NEGLIGIBLE = 2 ** -60;

/**
 * ln of twice a tail's probability, at most 0.
 * @param logProbability of the tail's first value
 * @param ratio of the probability of value `step + 1` to that of `step`, counted from the first; it falls from step to step
 */
function twiceTail(logProbability: number, ratio: (step: number) => number): number {
  let sum = 1;
  let term = 1;
  for (let step = 0; term > NEGLIGIBLE * sum; step++) {
    term *= ratio(step);
    sum += term;
  }
  const logTail = logProbability + Math.log(sum);
  // The other tail overlaps this one in the observed value; it is the smaller one only where both are about one half.
  const other = 1 + Math.exp(logProbability) - Math.exp(logTail);
  return Math.min(0, Math.LN2 + Math.min(logTail, Math.log(other)));
}
