import { wilson, Z95, type Interval } from './intervals.ts';

/** How far 95 % intervals reach out, which depends on how often they are looked at. */
export interface Reach {
  /** Standard errors to either side, with `n` images. `z(n) / √n` falls with `n`. */
  readonly z: (n: number) => number;
  /**
   * Images that may be unlike all others and yet, by chance, not be among those there are. An end of a rate's interval that rests on fewer is
   * 0 or 1; the interval of a mean reaches as far as if so many had been missed.
   */
  readonly least: number;
}

/** For results that are looked at once, when all images are in. */
export const ONE_LOOK: Reach = { z: () => Z95, least: 0 };

const ALPHA = 0.05;
/** Images at about which `z` is smallest: between the first look of a run that stops by itself and what ±1 point takes. */
const NARROWEST_AT = 4096;
/** ρ² that makes it so: −2 ln α + ln(1 − 2 ln α) over that number (Waudby-Smith et al.; approximately). */
const RHO_SQUARED = (-2 * Math.log(ALPHA) + Math.log(1 - 2 * Math.log(ALPHA))) / NARROWEST_AT;

/**
 * For results that are looked at again and again while images come in, by somebody who stops when they please: with 95 % the intervals
 * of all looks hold the truth at once. An asymptotic confidence sequence by Robbins' normal mixture: half a width is
 * `s √(2 (nρ² + 1) / (n²ρ²) · ln(√(nρ² + 1) / α))` (Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas 2021, "Time-uniform central
 * limit theory and asymptotic confidence sequences", theorem 2.2), that is `z(n) s / √n`, with which Wilson's interval is
 * made for rates, whose `s` is 0 where they are. A sum of fewer than ten events is no normal one at any `n`: without `least`, rates below
 * 1 in 3,000 are missed in 10 % of runs of a million images, with it in less than 3 %; and the zero share of a filter that is blank on one image
 * in a thousand, and has few zeros otherwise, is missed by every other run, whose spread does not know of such images yet. (Finite-sample
 * bounds on means have such a term, too: 7 ln(2/α) / 3(n − 1) in Maurer & Pontil 2009, theorem 4.)
 */
export const REPEATED_LOOKS: Reach = {
  z(n) {
    const u = n * RHO_SQUARED;
    return Math.sqrt(((2 * (u + 1)) / u) * Math.log(Math.sqrt(u + 1) / ALPHA));
  },
  least: 10,
};

/** The interval of the rate of `count` in `n`; null with `n` = 0. @param count need not be whole */
export function rateInterval(count: number, n: number, { z, least }: Reach): Interval | null {
  const interval = wilson(count, n, z(n));
  if (!interval) return null;
  return { low: count < least ? 0 : interval.low, high: n - count < least ? 1 : interval.high };
}
