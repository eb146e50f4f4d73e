import { mcnemarLogP } from './exact-tests.ts';
import { meanOf, standardDeviation, wilson, type Interval, type MeanSums } from './intervals.ts';
import { logChoose } from './log-gamma.ts';
import { student95, studentLogP } from './student-t.ts';

/** A difference of means with its 95 % interval, which is null where a sample has fewer than two, and ln p of its test. */
export interface MeanDifference {
  readonly low: number | null;
  readonly high: number | null;
  readonly logP: number;
}

const UNKNOWN: MeanDifference = { low: null, high: null, logP: 0 };

/**
 * The difference `b − a` of the means of two independent samples of shares: Welch's interval and test (Welch 1947), which
 * assume no equal spread. A sample whose images are all equal has no spread to judge by and takes part in the interval with Wilson's
 * one of its mean, both combined by square-and-add (Zou & Donner 2008); two such samples are tested as what they are, two
 * values that are perfectly divided: `2 / (nA + nB choose nA)`.
 */
export function meanDifference(a: MeanSums, b: MeanSums): MeanDifference {
  if (a.n < 2 || b.n < 2) return UNKNOWN;
  const [meanA, meanB] = [meanOf(a)!, meanOf(b)!];
  const difference = meanB - meanA;
  const varianceA = standardDeviation(a)! ** 2 / a.n;
  const varianceB = standardDeviation(b)! ** 2 / b.n;
  const variance = varianceA + varianceB;
  if (variance === 0) {
    const logP = difference === 0 ? 0 : Math.min(0, Math.LN2 - logChoose(a.n + b.n, a.n));
    return { ...combined(a, b), logP };
  }
  const error = Math.sqrt(variance);
  // Welch–Satterthwaite, in shares of the variance, which do not underflow.
  const df = 1 / ((varianceA / variance) ** 2 / (a.n - 1) + (varianceB / variance) ** 2 / (b.n - 1));
  const logP = studentLogP(Math.abs(difference) / error, df);
  if (varianceA === 0 || varianceB === 0) return { ...combined(a, b), logP };
  return { ...around(difference, student95(df) * error), logP };
}

/**
 * The mean of the differences within pairs, each from −1 to 1: Student's interval and test. Where all differences are equal
 * there is no spread: then as many pairs may have any other difference as Wilson's interval of none allows, and the test is
 * the sign test.
 */
export function pairedMeanDifference(differences: MeanSums): MeanDifference {
  const { n } = differences;
  if (n < 2) return UNKNOWN;
  const difference = meanOf(differences)!;
  const deviation = standardDeviation(differences)!;
  if (deviation === 0) {
    const others = wilson(0, n)!.high;
    return {
      low: difference - others * (1 + difference),
      high: difference + others * (1 - difference),
      logP: difference === 0 ? 0 : mcnemarLogP(n, 0),
    };
  }
  const error = deviation / Math.sqrt(n);
  return {
    ...around(difference, student95(n - 1) * error),
    logP: studentLogP(Math.abs(difference) / error, n - 1),
  };
}

function combined(a: MeanSums, b: MeanSums): Interval {
  const [meanA, meanB] = [meanOf(a)!, meanOf(b)!];
  const [limitsA, limitsB] = [limitsOf(a, meanA), limitsOf(b, meanB)];
  const difference = meanB - meanA;
  return {
    low: Math.max(-1, difference - Math.hypot(meanB - limitsB.low, limitsA.high - meanA)),
    high: Math.min(1, difference + Math.hypot(limitsB.high - meanB, meanA - limitsA.low)),
  };
}

function limitsOf(sums: MeanSums, mean: number): Interval {
  const deviation = standardDeviation(sums)!;
  if (deviation === 0) return wilson(Number(sums.sum) / sums.unit, sums.n)!;
  const half = (student95(sums.n - 1) * deviation) / Math.sqrt(sums.n);
  return { low: mean - half, high: mean + half };
}

function around(difference: number, half: number): Interval {
  return { low: Math.max(-1, difference - half), high: Math.min(1, difference + half) };
}
