import type { Element } from 'hast';
import { h } from 'hastscript';
import { count, counted, inPercent, intervalInPercent, signedPoints } from '../numbers.ts';
import type { Report, SeparatingFilters } from '../report.ts';
import { outside, pageTable, paragraph, strong } from './table.ts';

const CLASSES_LISTED = 100;

/** Blank rates by class; nothing for a dataset without classes. */
export function classesSection({ classes, separating, document }: Report): Element[] {
  if (classes.length === 0) return [];
  const { layers } = document.settings;
  const shown = layers.map((layer, i) => ({ layer, i })).slice(-5);
  const rows = classes
    .slice(0, CLASSES_LISTED)
    .map(({ name, images, blankRates }) => [
      name,
      count(images),
      ...shown.map(({ i }) => inPercent(blankRates[i])),
    ]);
  const more = classes.length - rows.length;
  return [
    h(
      'section',
      h('h2', 'Classes'),
      pageTable(
        [
          strong('Table 6. '),
          `Blank rate by class in %, mean over a layer’s filters and the class’s images; the ${shown.length === layers.length ? 'layers measured' : 'deepest layers'}.`,
        ],
        [
          { title: 'class', kind: 'outside' },
          { title: 'images', kind: 'number' },
          ...shown.map(({ layer }) => ({ title: layer, kind: 'number' as const })),
        ],
        rows,
      ),
      ...(more > 0 ? [paragraph(`${counted(more, 'more class')}, each with fewer images than these.`)] : []),
      ...(separating === undefined ? [] : separatingTable(separating)),
    ),
  ];
}

function separatingTable({ family, rows }: SeparatingFilters): Element[] {
  const how = `Fisher’s exact test of blank images, Benjamini–Hochberg over ${family}`;
  if (rows.length === 0)
    return [paragraph(`No filter’s blank rate tells a class from the rest (${how}, p < 0.05).`)];
  const cells = rows.map((row) => [
    row.class,
    `${row.layer}/${row.filter}`,
    `${inPercent(row.blankRate)} (${intervalInPercent(row.blankRateLow, row.blankRateHigh)})`,
    inPercent(row.restBlankRate),
    `${signedPoints(row.difference)} (${intervalInPercent(row.low, row.high)})`,
    row.adjustedP < 0.001 ? row.adjustedP.toExponential(1) : row.adjustedP.toFixed(3),
  ]);
  return [
    pageTable(
      [
        strong('Table 7. '),
        `Filters that tell a class from the rest by their blank rate, surest first: ${how}, p < 0.05. Differences in points with Newcombe’s 95\u00a0% interval.`,
      ],
      [
        { title: 'class', kind: 'outside' },
        { title: 'filter', kind: 'name' },
        { title: 'blank rate, % (95 %)', kind: 'number' },
        { title: 'rest, %', kind: 'number' },
        { title: 'difference (95 %)', kind: 'number' },
        { title: 'adjusted p', kind: 'number' },
      ],
      cells,
    ),
  ];
}

/** The images that do not count, and why. */
export function failuresSection({ failures, classes, separating, index }: Report): Element {
  const { ok, failed, skipped, duplicates } = index;
  const copies =
    duplicates === 0
      ? ''
      : ` ${count(duplicates)} of those that are ok hold the same bytes as an earlier one.`;
  const counts = `${counted(ok, 'image')} ${ok === 1 ? 'is' : 'are'} ok, ${count(failed)} failed and ${count(skipped)} were skipped.${copies}`;
  if (failures.length === 0)
    return h('section', h('h2', 'Images that did not count'), paragraph(`None: ${counts}`));
  const before = 5 + Number(classes.length > 0) + Number((separating?.rows ?? []).length > 0);
  const rows = failures.map(({ status, code, images, examples }) => [
    `${status}: ${code}`,
    count(images),
    h(
      'div',
      examples.map(({ image, message }) => h('div', outside(image), message ? `: ${message}` : '')),
    ),
  ]);
  return h(
    'section',
    h('h2', 'Images that did not count'),
    paragraph(`${counts} Those that failed or were skipped are in no number of this report.`),
    pageTable(
      [strong(`Table ${before + 1}. `), 'Reasons, and the first images of each in manifest order.'],
      [
        { title: 'reason', kind: 'name' },
        { title: 'images', kind: 'number' },
        { title: 'for example', kind: 'outside' },
      ],
      rows,
    ),
  );
}
