import { SIGNIFICANT, type Change, type ComparisonRow } from '@filterscope/statistics/comparison';
import { listed, type Comparison } from './compare.ts';

/** Layers that are spoken of one by one. */
const SPOKEN_OF = 3;

const number = new Intl.NumberFormat('en-US');
const points = (difference: number) => Math.abs(100 * difference).toFixed(2);
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** What a comparison found, in sentences that can be repeated. A and B are the first run and the second. */
export function verdict({
  layers,
  filters,
  adjust,
}: Pick<Comparison, 'layers' | 'filters' | 'adjust'>): string[] {
  const method = adjust === 'bh' ? 'Benjamini–Hochberg' : 'Benjamini–Yekutieli';
  const looked = [counted(layers.length, 'layer'), ...(filters ? [counted(filters.length, 'filter')] : [])];
  return [
    ...layerSentences(layers),
    ...(filters ? filterSentences(filters) : []),
    `Of all that is called a difference, at most ${100 * SIGNIFICANT} % are expected to be none (${method} over ${listed(looked)}, each a family).`,
  ];
}

/** How a comparison's family is named in each of its rows. */
export const family = (rows: readonly ComparisonRow[], of: 'layer' | 'filter') => counted(rows.length, of);

function layerSentences(rows: readonly ComparisonRow[]): string[] {
  const blank = rows.map((row) => ({ ...row, what: 'blank rate', p: row.adjustedP }));
  const zeros = rows.map((row) => ({
    layer: row.layer,
    what: 'zero share',
    a: row.zeroShareA,
    b: row.zeroShareB,
    difference: row.zeroShareDifference,
    low: row.zeroShareLow,
    high: row.zeroShareHigh,
    p: row.zeroShareAdjustedP,
  }));
  return [blank, zeros].flatMap((measured) => {
    const changed = measured
      .filter(({ p, difference }) => p <= SIGNIFICANT && difference !== 0)
      .toSorted((x, y) => Math.abs(y.difference) - Math.abs(x.difference));
    if (changed.length === 0) return [`No layer's ${measured[0].what} differs, as far as this shows.`];
    const spoken = changed.slice(0, SPOKEN_OF).map(({ layer, what, a, b, difference, low, high }) => {
      const how = `${points(difference)} points ${difference > 0 ? 'more' : 'less'} (95 %: ${ends(difference, low, high)})`;
      return `The ${what} of ${layer} is ${percent(a)} in A and ${percent(b)} in B: ${how}.`;
    });
    const rest = changed.length - spoken.length;
    return rest > 0
      ? [...spoken, `The ${measured[0].what} of ${counted(rest, 'other layer')} differs, too.`]
      : spoken;
  });
}

const ENDINGS: readonly (readonly [Change, string])[] = [
  ['newly-dead', 'silent: blank on every image of B, and not of A'],
  ['revived', 'alive: blank on every image of A, and not of B'],
  ['more-blank', 'blank more often in B'],
  ['less-blank', 'blank less often in B'],
];

function filterSentences(rows: readonly ComparisonRow[]): string[] {
  const changed = rows.filter(({ change }) => change !== 'same');
  if (changed.length === 0) return ["No filter's blank rate differs, as far as this shows."];
  return ENDINGS.flatMap(([change, words]) => {
    const found = changed.filter((row) => row.change === change);
    if (found.length === 0) return [];
    const byLayer = [...Map.groupBy(found, ({ layer }) => layer)].toSorted(
      ([, x], [, y]) => y.length - x.length,
    );
    const spoken = byLayer
      .slice(0, SPOKEN_OF)
      .map(([layer, { length }]) => `${number.format(length)} of ${layer}`);
    const rest = found.length - byLayer.slice(0, SPOKEN_OF).reduce((sum, [, { length }]) => sum + length, 0);
    const where = listed(rest > 0 ? [...spoken, `${number.format(rest)} of other layers`] : spoken);
    const verb =
      change === 'newly-dead' || change === 'revived' ? 'became' : found.length === 1 ? 'is' : 'are';
    return [`${counted(found.length, 'filter')} ${verb} ${words} (${where}).`];
  });
}

/** The interval of a difference, in points in its own direction. */
function ends(difference: number, low: number | null, high: number | null): string {
  if (low === null || high === null) return 'unknown';
  const [from, to] = difference > 0 ? [low, high] : [-high, -low];
  return `${(100 * from).toFixed(2)} to ${(100 * to).toFixed(2)}`;
}

function counted(count: number, noun: string): string {
  return `${number.format(count)} ${noun}${count === 1 ? '' : 's'}`;
}
