import type { Element } from 'hast';
import { h } from 'hastscript';
import type { FilterRow } from '@filterscope/results/summaries';
import { filterMap, type MapQuantity } from '../charts/filter-map.ts';
import { svgElement } from '../charts/svg.ts';
import { count, counted } from '../numbers.ts';
import type { Report } from '../report.ts';
import { pageFigure, pageTable, paragraph, strong } from './table.ts';

const DEAD_LISTED = 200;

/** Bounds of Table 2's bands; each holds what is above its lower and not above its upper bound. */
const BANDS = [0.1, 0.25, 0.5, 0.75, 0.9, 1];

/** Every filter as a cell, by zero share and by blank rate, and how many lie where. */
export function mapSection({ filters, document }: Report): Element {
  const all = counted(filters.length, 'filter');
  const map = (quantity: MapQuantity, name: string, table: string) =>
    svgElement(filterMap(filters, quantity), {
      id: quantity,
      title: `${name} of every filter`,
      description: `A map of ${all}, 64 a row, layer by layer, coloured from 0 (dark) to 100 % (bright). ${table}`,
    });
  const dead = filters.filter((row) => row.dead);
  return h(
    'section',
    h('h2', 'All filters'),
    pageFigure(
      map('zeroShare', 'Zero share', 'Table 2 counts the filters by zero share.'),
      strong('Figure 2. '),
      `Zero share of all ${all}: one cell a filter, in filter order, 64 a row from left to right; the small numbers are those of each row’s first filter. Dead filters are crossed.`,
    ),
    pageFigure(
      map('blankRate', 'Blank rate', 'Table 3 counts the filters by blank rate.'),
      strong('Figure 3. '),
      'Blank rate of the same filters in the same places.',
    ),
    h('div', { className: ['pair'] }, [
      bandTable('Table 2. ', 'zero share', filters, document.settings.layers, (row) => row.zeroShare),
      bandTable('Table 3. ', 'blank rate', filters, document.settings.layers, (row) => row.blankRate),
    ]),
    ...(dead.length === 0 ? [] : [deadList(dead)]),
  );
}

function bandTable(
  number: string,
  quantity: string,
  filters: readonly FilterRow[],
  layers: readonly string[],
  valueOf: (row: FilterRow) => number | null,
): Element {
  const titles = ['0', ...BANDS.map((band) => `≤ ${band * 100} %`)];
  const rows = layers.map((layer) => {
    const counts = [0, ...BANDS.map(() => 0)];
    for (const row of filters) {
      const value = row.layer === layer ? valueOf(row) : null;
      if (value !== null) counts[bandOf(value)] += 1;
    }
    return [layer, ...counts.map(count)];
  });
  return pageTable(
    [strong(number), `Filters by ${quantity}: 0, up to 10 %, above that and up to 25 %, and so on.`],
    [{ title: 'layer', kind: 'name' }, ...titles.map((title) => ({ title, kind: 'number' as const }))],
    rows,
  );
}

/** Column of a value in the table of bands: 0 for none, else the first band that is not below it. */
export function bandOf(value: number): number {
  return value === 0 ? 0 : 1 + BANDS.findIndex((band) => value <= band);
}

function deadList(dead: readonly FilterRow[]): Element {
  const listed = dead.slice(0, DEAD_LISTED).map(({ layer, filter }) => `${layer}/${filter}`);
  const more = dead.length > listed.length ? ` and ${counted(dead.length - listed.length, 'other')}` : '';
  return h(
    'details',
    h('summary', counted(dead.length, 'dead filter')),
    paragraph(`${listed.join(', ')}${more}.`),
  );
}
