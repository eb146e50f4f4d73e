import { count } from './format.ts';

/** How far the rows shown are from ±1 point, in a sentence. @param what what a row is of, for example `filters` */
export function enoughImages(rows: readonly { moreImages: number | null }[], what: string): string {
  const missing = rows.map(({ moreImages }) => moreImages ?? Infinity);
  const most = Math.max(0, ...missing);
  if (most === Infinity) return 'enough images: one image alone has no interval.';
  if (most === 0)
    return rows.length === 1
      ? 'enough images: both intervals are within ±1 point.'
      : `enough images: every interval of all ${count(rows.length)} ${what} is within ±1 point.`;
  const there = missing.filter((more) => more === 0).length;
  return (
    `enough images: ${count(most)} more bring every interval to ±1 point; ` +
    `${count(there)} of ${count(rows.length)} ${what} are there now.`
  );
}
