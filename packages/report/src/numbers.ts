const INTEGER = new Intl.NumberFormat('en-US');

/** 12345 → `12,345`. */
export const count = (value: number): string => INTEGER.format(value);

/** A fraction in per cent, for a column or an axis that says so: 0.4711 → `47.11`; `–` for no value. */
export const inPercent = (share: number | null, digits = 2): string =>
  share === null ? '–' : (share * 100).toFixed(digits);

/** The ends of an interval in per cent: `46.80–47.42`; `–` where there is none. */
export const intervalInPercent = (low: number | null, high: number | null): string =>
  low === null || high === null ? '–' : `${inPercent(low)}–${inPercent(high)}`;

/** `1 image`, `2 images`. */
export const counted = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
