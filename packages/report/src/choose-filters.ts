import type { FilterRow } from '@filterscope/results/summaries';

/**
 * Filters to show, in order: those that are silent most, by blank rate, then zero share, and those that are silent least.
 * Dead ones never fire and have nothing to show; they are counted elsewhere. Ties go to the deeper layer where silence is
 * looked for, else to the first: never to chance.
 */
export function chooseFilters(
  filters: readonly FilterRow[],
  most: number,
): { readonly mostSilent: readonly FilterRow[]; readonly leastSilent: readonly FilterRow[] } {
  const firing = filters.filter(({ dead, images }) => !dead && images > 0);
  return {
    mostSilent: firing.toReversed().toSorted(silence).slice(0, most),
    leastSilent: firing.toSorted((a, b) => silence(b, a)).slice(0, most),
  };
}

/** Below 0 when `a` is the more silent. */
const silence = (a: FilterRow, b: FilterRow): number =>
  b.blank - a.blank || (b.zeroShare ?? 0) - (a.zeroShare ?? 0);
