import type { Element } from 'hast';
import { h } from 'hastscript';
import type { TopCrop } from '@filterscope/results/top-crops';
import { count, inPercent, intervalInPercent } from '../numbers.ts';
import type { Report, ShownFilter } from '../report.ts';
import { pageTable, paragraph, strong, type PageColumn } from './table.ts';

const COLUMNS: readonly PageColumn[] = [
  { title: 'filter', kind: 'name' },
  { title: 'blank on', kind: 'number' },
  { title: 'blank rate, % (95 %)', kind: 'number' },
  { title: 'zero share, % (95 %)', kind: 'number' },
  { title: 'strongest on' },
];

/** The filters at both ends of the order of silence, with what they respond to. */
export function filtersSection({ mostSilent, leastSilent }: Report): Element {
  return h(
    'section',
    h('h2', 'Most and least silent filters'),
    paragraph(
      'The crops are the receptive fields of a filter’s largest activations on its strongest images, strongest first, all shown at one size: ' +
        'what lies within them is all that the activation depends on. Dead filters never fire and are left out here.',
    ),
    filterTable(
      'Table 4. ',
      'The most silent filters that fire at all: highest blank rate, then highest zero share; of equal ones the deepest.',
      mostSilent,
    ),
    filterTable(
      'Table 5. ',
      'The least silent filters: lowest blank rate, then lowest zero share.',
      leastSilent,
    ),
    ...missingNote([...mostSilent, ...leastSilent]),
  );
}

function filterTable(number: string, caption: string, shown: readonly ShownFilter[]): Element {
  const rows = shown.map(({ row, crops }) => [
    `${row.layer}/${row.filter}`,
    `${count(row.blank)} of ${count(row.images)}`,
    withInterval(row.blankRate, row.blankRateLow, row.blankRateHigh),
    withInterval(row.zeroShare, row.zeroShareLow, row.zeroShareHigh),
    h(
      'div',
      { className: ['crops'] },
      crops.map((crop, i) => cropPicture(crop, i, `${row.layer}/${row.filter}`)),
    ),
  ]);
  return pageTable([strong(number), caption], COLUMNS, rows);
}

const withInterval = (share: number | null, low: number | null, high: number | null) =>
  low === null ? inPercent(share) : `${inPercent(share)} (${intervalInPercent(low, high)})`;

function cropPicture({ crop, missing, image, max, field }: TopCrop, index: number, filter: string): Element {
  if (crop === null) return h('span', { className: ['missing'] }, `no crop: ${missing?.code ?? 'unknown'}`);
  const { bytes, type, enlarged } = crop;
  const strength = max.toPrecision(4);
  const alt = `Number ${index + 1} of ${filter}: ${field.width}×${field.height} pixels of ${image}, activation ${strength}`;
  return h('img', {
    src: `data:${type};base64,${Buffer.from(bytes).toString('base64')}`,
    alt,
    title: alt,
    width: 72,
    height: 72,
    ...(enlarged > 1 && { className: ['enlarged'] }),
  });
}

/** Why crops are missing, each reason once. */
function missingNote(shown: readonly ShownFilter[]): Element[] {
  const reasons = new Map(
    shown.flatMap(({ crops }) =>
      crops.flatMap(({ missing }) => (missing ? [[missing.code, missing.message]] : [])),
    ),
  );
  if (reasons.size === 0) return [];
  const list = [...reasons].map(([code, message]) => `${code}: ${message}`).join('; ');
  return [paragraph(`Some crops are missing (${list}).`)];
}
