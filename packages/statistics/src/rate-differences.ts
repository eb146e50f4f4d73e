import { wilson, type Interval } from './intervals.ts';

/** How many of how many. */
export interface Counted {
  readonly successes: number;
  readonly n: number;
}

/**
 * The 95 % interval of the difference `b − a` of two independent rates: Newcombe's hybrid score interval (Newcombe 1998,
 * Statistics in Medicine 17:873–890, method 10), from the Wilson intervals of both. Null where either has fewer than two.
 */
export function rateDifferenceInterval(a: Counted, b: Counted): Interval | null {
  return squareAndAdd(a, b, 0);
}

/** Pairs by success in the first, in the second. */
export interface PairedCounts {
  readonly both: number;
  readonly onlyA: number;
  readonly onlyB: number;
  readonly neither: number;
}

/**
 * The 95 % interval of the difference `b − a` of two rates in the same pairs: Newcombe's square-and-add interval (Newcombe
 * 1998, Statistics in Medicine 17:2635–2650, method 10), with the correlation corrected for continuity. Null below two pairs.
 */
export function pairedRateDifferenceInterval({ both, onlyA, onlyB, neither }: PairedCounts): Interval | null {
  const n = both + onlyA + onlyB + neither;
  const a = both + onlyA;
  const b = both + onlyB;
  const margins = Math.sqrt(a) * Math.sqrt(n - a) * Math.sqrt(b) * Math.sqrt(n - b); // their product may pass 2^53
  const agreement = both * neither - onlyA * onlyB;
  const corrected = agreement > 0 ? Math.max(0, agreement - n / 2) : agreement;
  const correlation = margins === 0 ? 0 : corrected / margins;
  return squareAndAdd({ successes: a, n }, { successes: b, n }, correlation);
}

/** The distances of both rates from their Wilson limits, added as the sides of a triangle. */
function squareAndAdd(a: Counted, b: Counted, correlation: number): Interval | null {
  if (a.n < 2 || b.n < 2) return null;
  const [rateA, rateB] = [a.successes / a.n, b.successes / b.n];
  const [limitsA, limitsB] = [wilson(a.successes, a.n)!, wilson(b.successes, b.n)!];
  const third = (x: number, y: number) => Math.sqrt(Math.max(0, x * x + y * y - 2 * correlation * x * y));
  const difference = rateB - rateA;
  return {
    low: Math.max(-1, difference - third(rateB - limitsB.low, limitsA.high - rateA)),
    high: Math.min(1, difference + third(limitsB.high - rateB, rateA - limitsA.low)),
  };
}
