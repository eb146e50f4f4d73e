import { InvalidArgumentError } from 'commander';
import type { ClusterBy } from '@filterscope/results/cluster-sums';
import { MAX_TOP_K, type GridSelection, type RunSettings } from '@filterscope/runs/run-document';

// Readers of option values. Each throws commander's error, which names the option and ends with exit code 2.

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('give a whole number of at least 1.');
}

export function topListLength(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= MAX_TOP_K) return value;
  throw new InvalidArgumentError(`give a whole number from 0 to ${MAX_TOP_K}.`);
}

export function gridSelection(text: string): GridSelection {
  if (text === 'all' || text === 'none') return text;
  const share = percentage(text);
  if (share !== undefined && share > 0 && share <= 100) return { percent: share };
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))) return { first: Number(text) };
  throw new InvalidArgumentError('give all, none, a number of images such as 16, or a share such as 5%.');
}

/** `±1pp`, `1pp`, `+-0.5pp`, `layers:±1pp`: half a width in percentage points. */
export function precision(text: string): NonNullable<RunSettings['until']> {
  const [, layers, points] = /^(layers:)?(?:±|\+-|\+\/-)?(\d{1,2}(?:\.\d{1,4})?)pp$/.exec(text) ?? [];
  const halfWidth = Number(points) / 100;
  if (halfWidth > 0 && halfWidth <= 0.5) return { halfWidth, of: layers ? 'layers' : 'all' };
  throw new InvalidArgumentError('give percentage points such as ±1pp, or layers:±1pp for the layers alone.');
}

/** How many images may fail: a number, or a share of the images. */
export type FailureLimit = { readonly images: number } | { readonly percent: number };

export function failureLimit(text: string): FailureLimit {
  const share = percentage(text);
  if (share !== undefined && share <= 100) return { percent: share };
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return { images: Number(text) };
  throw new InvalidArgumentError('give a number of images such as 10, or a share such as 1%.');
}

function percentage(text: string): number | undefined {
  return /^\d+(\.\d+)?%$/.test(text) ? Number(text.slice(0, -1)) : undefined;
}

/** `block5_conv3/17` */
export function filterName(text: string): { layer: string; filter: number } {
  const match = /^(\w+)\/(\d+)$/.exec(text);
  if (match) return { layer: match[1], filter: Number(match[2]) };
  throw new InvalidArgumentError('give a filter as layer/number, for example block5_conv3/17.');
}

export function htmlFile(text: string): string {
  if (/[^/\\]\.html?$/i.test(text)) return text;
  throw new InvalidArgumentError('give a file name that ends in .html, such as report.html.');
}

export function pngFile(text: string): string {
  if (/[^/\\]\.png$/i.test(text)) return text;
  throw new InvalidArgumentError('give a file name that ends in .png, such as sheet.png.');
}

/** `90m`, `24h`, `7d` in milliseconds. */
export function age(text: string): number {
  const match = /^(\d+)([mhd])$/.exec(text);
  if (!match) throw new InvalidArgumentError('give an age such as 90m, 24h or 7d.');
  return Number(match[1]) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'm' | 'h' | 'd'];
}

/** `30s`, `5m` in milliseconds. */
export function period(text: string): number {
  const match = /^(\d+)([smh])$/.exec(text);
  if (!match) throw new InvalidArgumentError('give a time such as 30s or 5m.');
  return Number(match[1]) * { s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 's' | 'm' | 'h'];
}

export function httpUrl(text: string): string {
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '') return text;
  throw new InvalidArgumentError('give an http or https URL without a user in it.');
}

export function portNumber(text: string): number {
  const value = Number(text);
  if (/^\d{1,5}$/.test(text) && value <= 65_535) return value;
  throw new InvalidArgumentError('give a port from 0 to 65535; 0 means none.');
}

/** `poison,truncated` */
export function codeList(text: string): string[] {
  const codes = text.split(',').map((code) => code.trim());
  if (codes.every((code) => /^[a-z][a-z-]*$/.test(code))) return codes;
  throw new InvalidArgumentError('give codes as "failures" shows them, such as poison,truncated.');
}

/** How many images in common are paired: a number, `all` or `none`. */
export function pairLimit(text: string): number {
  if (text === 'all') return Infinity;
  if (text === 'none') return 0;
  if (/^[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw new InvalidArgumentError('give a number of images such as 10000, all, or none.');
}

/** `class`, `folder`, `prefix:6` */
export function clusterBy(text: string): ClusterBy {
  if (text === 'class' || text === 'folder') return text;
  const prefix = /^prefix:([1-9]\d{0,3})$/.exec(text);
  if (prefix) return { prefix: Number(prefix[1]) };
  throw new InvalidArgumentError(
    "give class, folder, or the first characters of an image's key, such as prefix:6.",
  );
}
