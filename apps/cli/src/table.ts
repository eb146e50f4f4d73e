import Table from 'cli-table3';
import { stripVTControlCharacters, styleText } from 'node:util';
import { ending } from './format.ts';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** How its cells give way where the table would be wider than a page: keys lose their beginning, sentences are wrapped. */
  readonly gives?: 'shorten' | 'wrap';
}

const PAGE_WIDTH = 100;
const GAP = '  ';
const LEAST_WIDTH = { wrap: 36, shorten: 16 };

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
};

/** A table without lines, two spaces between columns, titles underlined where the terminal can. */
export function renderTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string {
  const widths = columnWidths(columns, rows);
  const table = new Table({
    head: columns.map(({ title }) => styleText('underline', title, { stream: process.stdout })),
    colAligns: columns.map(({ align = 'left' }) => align),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: widths.map((width, i) => (columns[i].gives ? width : null)),
    wordWrap: true,
  });
  const fitted = (cell: string, i: number) =>
    columns[i].gives === 'shorten' ? ending(cell, widths[i]) : cell;
  table.push(...rows.map((row) => row.map(fitted)));
  const lines = table.toString().split('\n');
  return lines.map((line) => line.trimEnd()).join('\n') + '\n';
}

/** As wide as the cells, less what has to give way for the whole to fit a page. */
function columnWidths(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): number[] {
  const widths = columns.map(({ title }, i) =>
    Math.max(
      ...[title, ...rows.map((row) => row[i])].map(
        (cell) => Array.from(stripVTControlCharacters(cell)).length,
      ),
    ),
  );
  let excess = widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length) - PAGE_WIDTH;
  for (const way of ['wrap', 'shorten'] as const) {
    for (const [i, { gives }] of columns.entries()) {
      if (gives !== way || excess <= 0) continue;
      const given = Math.min(excess, Math.max(0, widths[i] - LEAST_WIDTH[way]));
      widths[i] -= given;
      excess -= given;
    }
  }
  return widths;
}
