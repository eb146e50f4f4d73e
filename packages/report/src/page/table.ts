import type { Element, ElementContent } from 'hast';
import { h } from 'hastscript';

export interface PageColumn {
  readonly title: string;
  /** Class of its cells: numbers stand right, text from outside is broken where it is long. */
  readonly kind?: 'number' | 'name' | 'outside';
}

/** A table of no more rows is kept on one page of paper. */
const WHOLE = 20;

type Cell = string | Element;

/** A table with a numbered caption; the first cell of a row is its header. */
export function pageTable(
  caption: readonly (string | Element)[],
  columns: readonly PageColumn[],
  rows: readonly (readonly Cell[])[],
): Element {
  const props = (i: number) => (columns[i].kind === undefined ? {} : { className: [columns[i].kind] });
  const body = rows.map((row) =>
    h(
      'tr',
      row.map((cell, i) => {
        const content = typeof cell === 'string' ? cell : cell;
        return i === 0 ? h('th', { scope: 'row', ...props(i) }, content) : h('td', props(i), content);
      }),
    ),
  );
  const head = columns.map(({ title }, i) => h('th', { scope: 'col', ...props(i) }, title));
  return h(
    'div',
    { className: ['scroll'], tabIndex: 0, role: 'group' },
    h(
      'table',
      rows.length <= WHOLE ? { className: ['whole'] } : {},
      h('caption', ...caption),
      h('thead', h('tr', head)),
      h('tbody', body),
    ),
  );
}

/** Something with a numbered caption below it. */
export const pageFigure = (content: ElementContent, ...caption: (string | Element)[]): Element =>
  h('figure', content, h('figcaption', caption));

export const strong = (text: string): Element => h('b', text);
export const paragraph = (...content: (string | Element)[]): Element => h('p', content);
/** Text from outside, set apart. */
export const outside = (text: string): Element => h('code', text);
