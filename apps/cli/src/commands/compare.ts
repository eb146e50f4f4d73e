import { compareRuns, type Comparison, type ComparisonQuestion } from '@filterscope/results/compare';
import type { Results } from '@filterscope/results/open-results';
import { family, verdict } from '@filterscope/results/verdict';
import type { ComparisonRow } from '@filterscope/statistics/comparison';
import { printable } from '@filterscope/errors/printable';
import type { Context } from '../context.ts';
import { count, ending, percent, pointsWithInterval, probability, shortRun } from '../format.ts';
import { syntheticNote } from '../synthetic-note.ts';
import { renderTable, type TableColumn } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';
import { wrap } from '../wrap.ts';

/** Filters that are shown to a person. */
const SHOWN = 20;

/** `filterscope compare`: one row a layer, then one a filter. */
export async function compare(
  { terminal, signal }: Context,
  a: Results,
  b: Results,
  { json, ...question }: ComparisonQuestion & { json: boolean },
): Promise<void> {
  const comparison = await compareRuns(a, b, question, signal);
  if (json) {
    for (const note of comparison.notes) say(terminal, note);
    return writeJsonArray(terminal, jsonRows(comparison));
  }
  await write(terminal.stdout, describe(comparison));
  const changed = changedFilters(comparison);
  if (changed.length > SHOWN) {
    say(terminal, `${count(changed.length - SHOWN)} more filters differ: ask for one --layer, or for --json`);
  }
}

function* jsonRows({ a, b, samples, layers, filters }: Comparison) {
  const [imagesA, imagesB] =
    samples.kind === 'paired' ? [samples.images, samples.images] : [samples.imagesA, samples.imagesB];
  const synthetic = a.document.weights.synthetic || b.document.weights.synthetic;
  const more = { samples: samples.kind, imagesA, imagesB };
  for (const row of layers) yield { ...row, ...more, family: family(layers, 'layer'), synthetic };
  for (const row of filters ?? [])
    yield { ...row, ...more, family: family(filters ?? [], 'filter'), synthetic };
}

function describe(comparison: Comparison): string {
  const { a, b, layers, notes } = comparison;
  const changed = changedFilters(comparison).slice(0, SHOWN);
  const paragraphs = [
    heading(a, b),
    [samplesSentence(comparison), ...notes].map((line) => wrap(line)).join('\n') + '\n',
    verdict(comparison)
      .map((line) => wrap(line))
      .join('\n') + '\n',
    table('blank rate', layers, blankCells),
    table('zero share', layers, zeroCells),
    ...(changed.length > 0 ? [table('blank rate of filters that differ', changed, blankCells)] : []),
  ];
  return paragraphs.join('\n');
}

function heading(a: Results, b: Results): string {
  const synthetic = a.document.weights.synthetic || b.document.weights.synthetic;
  return runLines('A', a) + runLines('B', b) + (synthetic ? `${syntheticNote()}\n` : '');
}

function runLines(letter: string, { document, complete }: Results): string {
  const { run, dataset, weights, settings } = document;
  const sofar = complete ? '' : ' · not complete';
  const what = `weights ${printable(weights.name)} (${weights.flavour}) · fit ${settings.fit}${sofar}`;
  return `${letter}  run ${shortRun(run)} · ${ending(printable(dataset), 80)}\n   ${ending(what, 90)}\n`;
}

function samplesSentence({ samples }: Comparison): string {
  if (samples.kind === 'independent')
    return `Two independent samples: ${count(samples.imagesA)} images and ${count(samples.imagesB)}.`;
  const which = samples.more
    ? "the first ones of A's manifest, a fair sample (--pairs)"
    : 'all that both have';
  return `Paired: the same ${count(samples.images)} images in both, ${which}.`;
}

/** Most certain first; of those, the largest difference. */
function changedFilters({ filters }: Comparison): ComparisonRow[] {
  return (filters ?? [])
    .filter(({ change }) => change !== 'same')
    .toSorted((x, y) => x.adjustedP - y.adjustedP || Math.abs(y.difference) - Math.abs(x.difference));
}

function table(
  title: string,
  rows: readonly ComparisonRow[],
  cells: (row: ComparisonRow) => readonly string[],
): string {
  const columns: TableColumn[] = [
    { title },
    { title: 'A', align: 'right' },
    { title: 'B', align: 'right' },
    { title: 'difference in points, 95 %', align: 'right' },
    { title: 'adjusted p', align: 'right' },
    { title: '' },
  ];
  const named = rows.map((row) => {
    const name = row.filter === undefined ? row.layer : `${row.layer}/${row.filter}`;
    return [name, ...cells(row)];
  });
  return renderTable(columns, named);
}

const blankCells = (row: ComparisonRow) => [
  percent(row.a),
  percent(row.b),
  pointsWithInterval(row.difference, row.low, row.high),
  probability(row.adjustedP),
  row.change === 'same' ? '' : row.change,
];

const zeroCells = (row: ComparisonRow) => [
  percent(row.zeroShareA),
  percent(row.zeroShareB),
  pointsWithInterval(row.zeroShareDifference, row.zeroShareLow, row.zeroShareHigh),
  probability(row.zeroShareAdjustedP),
  '',
];
