const INTEGER = new Intl.NumberFormat('en-US');

/** 12345 → `12,345`. */
export const count = (value: number): string => INTEGER.format(value);

/** A fraction in per cent, for a column or an axis that says so: 0.4711 → `47.11`; `–` for no value. */
export const inPercent = (share: number | null, digits = 2): string =>
  share === null ? '–' : (share * 100).toFixed(digits);

/** The ends of an interval in per cent: `46.80–47.42`, with signs where one is below 0; `–` where there is none. */
export const intervalInPercent = (low: number | null, high: number | null): string =>
  low === null || high === null
    ? '–'
    : low < 0
      ? `${signedPoints(low)} to ${signedPoints(high)}`
      : `${inPercent(low)}–${inPercent(high)}`;

/** A difference of fractions in points, with its sign: `+2.15`. */
export const signedPoints = (difference: number): string => {
  const points = inPercent(Math.abs(difference));
  return `${difference < 0 ? '−' : '+'}${points}`;
};

/** `1 image`, `2 images`. */
export const counted = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
