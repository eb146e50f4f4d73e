// Numbers as people read them.

const INTEGER = new Intl.NumberFormat('en-US');

/** 12345 → `12,345`. */
export const count = (value: number): string => INTEGER.format(value);

/** A fraction as a percentage: 0.4711 → `47.11 %`; `–` for no value. */
export const percent = (share: number | null, digits = 2): string =>
  share === null ? '–' : `${(share * 100).toFixed(digits)} %`;

/** A fraction with its interval: `47.11 % (46.80–47.42)`; without one, the fraction alone. */
export function percentWithInterval(share: number | null, low: number | null, high: number | null): string {
  if (share === null || low === null || high === null) return percent(share);
  return `${percent(share)} (${(low * 100).toFixed(2)}–${(high * 100).toFixed(2)})`;
}

/** 1234567 → `1.2 MB`. */
export function bytes(size: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return unit === 0 ? `${value} bytes` : `${value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

/** 3725 → `1 h 2 min`. */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** An activation: four significant digits, no exponent below a million. */
export function activation(value: number | null): string {
  if (value === null) return '–';
  if (value === 0) return '0';
  return value >= 1000 ? count(Math.round(value)) : value.toPrecision(4);
}

/** The part of a run's id that is enough to name it. */
export const shortRun = (run: string): string => run.slice(0, 12);

/** Text of at most `width` characters, without its beginning where it is longer: `…ages/cats/1.jpg`. */
export function ending(text: string, width: number): string {
  const characters = Array.from(text);
  return characters.length <= width ? text : `…${characters.slice(1 - width).join('')}`;
}

/** A difference of shares in points with its interval: `+1.30 (+0.95 to +1.65)`. */
export function pointsWithInterval(difference: number, low: number | null, high: number | null): string {
  if (low === null || high === null) return points(difference);
  return `${points(difference)} (${points(low)} to ${points(high)})`;
}

/** With its sign, but for what rounds to nothing. */
function points(difference: number): string {
  const text = Math.abs(100 * difference).toFixed(2);
  if (Number(text) === 0) return text;
  return difference > 0 ? `+${text}` : `−${text}`;
}

/** A p-value: `0.034`, `2e-9`, `1` for all but 1. */
export function probability(p: number): string {
  if (p >= 0.9995) return '1';
  return p >= 0.001 ? p.toFixed(3) : p.toExponential(0);
}
