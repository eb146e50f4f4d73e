/** One line of `verify`: what was compared, and how far the two sides are apart. */
export interface Check {
  readonly check: string;
  readonly status: 'holds' | 'fails' | 'not-applicable';
  /** Null where there is nothing to measure. In the unit that `detail` says. */
  readonly deviation: number | null;
  /** The largest deviation that holds. */
  readonly tolerance: number | null;
  /** What was done, in a sentence; for `not-applicable`, why it was not. */
  readonly detail: string;
}

export const measured = (check: string, deviation: number, tolerance: number, detail: string): Check => ({
  check,
  // Not `>`: NaN does not hold.
  status: deviation <= tolerance ? 'holds' : 'fails',
  deviation,
  tolerance,
  detail,
});

export const notApplicable = (check: string, why: string): Check => ({
  check,
  status: 'not-applicable',
  deviation: null,
  tolerance: null,
  detail: why,
});
