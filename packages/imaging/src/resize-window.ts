import type { Rectangle } from './rectangle.ts';
import { takeTurns } from './take-turn.ts';

/** The source pixels that make one target pixel along an axis, and their shares, which sum to 1. */
export interface Taps {
  readonly first: number;
  readonly count: number;
  /** Worked out at each call: kept for every pixel of a long side they would be a gigabyte. */
  readonly shares: () => Float64Array;
}

/** Wider sources are reduced along their rows first: a row of them for each target row would take minutes. */
const WIDE_COLUMNS = 32_768;

/**
 * Antialiased bilinear interpolation along one axis as Pillow's `BILINEAR` has it: pixel centres at halves, a triangle
 * as wide as the reduction, cut off at the picture's edge. Taps of `count` target pixels from `start`, of `target` in
 * all, over `source` pixels.
 */
export function triangleTaps(source: number, target: number, start: number, count: number): Taps[] {
  const scale = source / target;
  const support = Math.max(1, scale);
  return Array.from({ length: count }, (_, index) => {
    const centre = (start + index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const end = Math.min(source, Math.trunc(centre + support + 0.5));
    const count = end - first;
    return { first, count, shares: () => triangle(first, count, centre, support) };
  });
}

function triangle(first: number, count: number, centre: number, support: number): Float64Array {
  const shares = new Float64Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    shares[i] = Math.max(0, 1 - Math.abs((first + i + 0.5 - centre) / support));
    sum += shares[i];
  }
  for (let i = 0; i < count; i++) shares[i] /= sum;
  return shares;
}

/** The rectangle of source pixels that columns and rows of taps look at. */
export function tappedRectangle(columns: readonly Taps[], rows: readonly Taps[]): Rectangle {
  const last = (taps: readonly Taps[]) => taps.at(-1)!.first + taps.at(-1)!.count;
  const [left, top] = [columns[0].first, rows[0].first];
  return { left, top, width: last(columns) - left, height: last(rows) - top };
}

/**
 * Resizes by taps: `source` holds the pixels of `tappedRectangle(columns, rows)`, `[row, column, channel]`, three
 * channels. Used for enlarging, where libvips' own interpolation is half a pixel off. A picture may be long on the other side:
 * lets the event loop turn in between.
 * @returns `[row, column, channel]`, one row and column for each of the taps.
 */
export async function resizeWindow(
  source: Uint8Array,
  columns: readonly Taps[],
  rows: readonly Taps[],
): Promise<Uint8Array> {
  const { left, top, width, height } = tappedRectangle(columns, rows);
  const pause = await takeTurns();
  if (width > WIDE_COLUMNS) {
    const reduced = new Float64Array(height * columns.length * 3);
    for (const [i, { first, shares }] of columns.entries()) {
      const weights = shares();
      for (let y = 0; y < height; y++) {
        await pause();
        const from = (y * width + first - left) * 3;
        weightPixels(source, from, weights, reduced, (y * columns.length + i) * 3);
      }
    }
    const whole = columns.map((_, i): Taps => ({ first: i, count: 1, shares: () => Float64Array.of(1) }));
    return resizeRows({ pixels: reduced, left: 0, top, width: columns.length }, whole, rows, pause);
  }
  return resizeRows({ pixels: source, left, top, width }, columns, rows, pause);
}

interface Source {
  readonly pixels: Uint8Array | Float64Array;
  readonly left: number;
  readonly top: number;
  readonly width: number;
}

async function resizeRows(
  { pixels, left, top, width }: Source,
  columns: readonly Taps[],
  rows: readonly Taps[],
  pause: () => Promise<void> | undefined,
): Promise<Uint8Array> {
  const resized = new Uint8Array(rows.length * columns.length * 3);
  const line = new Float64Array(width * 3);
  const across = columns.map(({ first, shares }) => ({ first, shares: shares() }));
  const sums = new Float64Array(3);
  let to = 0;
  for (const row of rows) {
    await pause();
    line.fill(0);
    for (const [i, share] of row.shares().entries()) {
      const from = (row.first - top + i) * width * 3;
      for (let x = 0; x < line.length; x++) line[x] += share * pixels[from + x];
    }
    for (const { first, shares } of across) {
      weightPixels(line, (first - left) * 3, shares, sums, 0, 0.5);
      for (const sum of sums) resized[to++] = Math.min(255, sum);
    }
  }
  return resized;
}

/** The weighted sum of neighbouring pixels from index `from`, a channel each, upon `offset`. */
function weightPixels(
  pixels: Uint8Array | Float64Array,
  from: number,
  weights: Float64Array,
  into: Float64Array,
  to: number,
  offset = 0,
): void {
  for (let channel = 0; channel < 3; channel++) {
    let sum = offset;
    for (let i = 0; i < weights.length; i++) sum += weights[i] * pixels[from + i * 3 + channel];
    into[to + channel] = sum;
  }
}
