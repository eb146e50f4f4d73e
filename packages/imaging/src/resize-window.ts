import type { Rectangle } from './rectangle.ts';

/** The source pixels that make one target pixel along an axis, and their shares, which sum to 1. */
export interface Taps {
  readonly first: number;
  readonly shares: Float64Array;
}

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
    const shares = new Float64Array(end - first);
    let sum = 0;
    for (let i = 0; i < shares.length; i++) {
      shares[i] = Math.max(0, 1 - Math.abs((first + i + 0.5 - centre) / support));
      sum += shares[i];
    }
    return { first, shares: shares.map((share) => share / sum) };
  });
}

/** The rectangle of source pixels that columns and rows of taps look at. */
export function tappedRectangle(columns: readonly Taps[], rows: readonly Taps[]): Rectangle {
  const last = (taps: readonly Taps[]) => taps.at(-1)!.first + taps.at(-1)!.shares.length;
  const [left, top] = [columns[0].first, rows[0].first];
  return { left, top, width: last(columns) - left, height: last(rows) - top };
}

/**
 * Resizes by taps: `source` holds the pixels of `tappedRectangle(columns, rows)`, `[row, column, channel]`, three
 * channels. Used for enlarging, where libvips' own interpolation is half a pixel off.
 * @returns `[row, column, channel]`, one row and column for each of the taps.
 */
export function resizeWindow(
  source: Uint8Array,
  columns: readonly Taps[],
  rows: readonly Taps[],
): Uint8Array {
  const { left, top, width } = tappedRectangle(columns, rows);
  const resized = new Uint8Array(rows.length * columns.length * 3);
  const line = new Float64Array(width * 3);
  let to = 0;
  for (const row of rows) {
    line.fill(0);
    for (const [i, share] of row.shares.entries()) {
      const from = (row.first - top + i) * width * 3;
      for (let x = 0; x < line.length; x++) line[x] += share * source[from + x];
    }
    for (const column of columns) {
      for (let channel = 0; channel < 3; channel++) {
        let sum = 0.5;
        for (let i = 0; i < column.shares.length; i++) {
          sum += column.shares[i] * line[(column.first - left + i) * 3 + channel];
        }
        resized[to++] = Math.min(255, sum);
      }
    }
  }
  return resized;
}
