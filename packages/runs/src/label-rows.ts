import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { FoundRows, ManifestRow, ManifestRows } from './manifest-rows.ts';
import type { OnLabel } from './read-labels.ts';
import { CLASS_SEPARATOR } from './row-classes.ts';

/** Where the classes of a run's images come from, if not from their folders. */
export interface Labels {
  /** For messages. */
  readonly name: string;
  /** Tells every label. @returns SHA-256 of what they were read from */
  read(onLabel: OnLabel): Promise<string>;
}

/** What came of labels. */
export interface Labelling {
  readonly name: string;
  readonly sha256: string;
  /** Rows that have a class now. */
  readonly labelled: number;
  /** Labels of images that are not among the rows. */
  readonly unknown: number;
}

/** Labels in one page. */
const PAGE = 1 << 16;

/**
 * The same rows with the classes that labels give them, and without those of their folders. Takes 8 bytes a label and 4 a row.
 * @throws FilterscopeError `labels-unknown` when not one label is of an image among the rows, and what is wrong with the
 * labels.
 */
export async function labelRows(
  rows: FoundRows,
  labels: Labels,
): Promise<{ rows: ManifestRows; labelling: Labelling }> {
  const names: string[] = [];
  const ids = new Map<string, number>();
  /** By row, its last label; labels are numbered from 1, and 0 is none. */
  const last = new Uint32Array(rows.length);
  /** Each label's class and the label before it of the same row, in pages: growing one array would take it twice. */
  const pages: Uint32Array[] = [];
  let known = 0;
  let labelled = 0;
  let unknown = 0;
  let stranger = '';
  const sha256 = await labels.read((image, name) => {
    const row = rows.rowOf(image);
    if (row === undefined) {
      if (unknown++ === 0) stranger = image;
      return;
    }
    let id = ids.get(name);
    if (id === undefined) {
      id = names.push(name) - 1;
      ids.set(name, id);
    }
    if (known % PAGE === 0) pages.push(new Uint32Array(2 * PAGE));
    const at = 2 * (known % PAGE);
    pages[pages.length - 1][at] = id;
    pages[pages.length - 1][at + 1] = last[row];
    if (last[row] === 0) labelled++;
    last[row] = ++known;
  });
  if (known === 0) throw noneKnown(labels.name, rows, stranger);

  const classOf = (row: number): string | null => {
    const classes = new Set<string>();
    for (let label = last[row]; label > 0;) {
      const page = pages[Math.floor((label - 1) / PAGE)];
      const at = 2 * ((label - 1) % PAGE);
      classes.add(names[page[at]]);
      label = page[at + 1];
    }
    return classes.size === 0 ? null : [...classes].toSorted().join(CLASS_SEPARATOR);
  };
  return { rows: withClasses(rows, classOf), labelling: { name: labels.name, sha256, labelled, unknown } };
}

function withClasses(rows: ManifestRows, classOf: (row: number) => string | null): ManifestRows {
  const labelled = (entry: ManifestRow, row: number): ManifestRow => ({ ...entry, class: classOf(row) });
  return {
    length: rows.length,
    slice: (from, to) => rows.slice(from, to).map((entry, i) => labelled(entry, from + i)),
    *[Symbol.iterator]() {
      let row = 0;
      for (const entry of rows) yield labelled(entry, row++);
    },
  };
}

function noneKnown(name: string, rows: ManifestRows, stranger: string): FilterscopeError {
  const message =
    stranger === ''
      ? 'it has no labels'
      : `none of its labels is of an image of the dataset; it speaks of "${stranger}", the dataset has "${rows.slice(0, 1)[0].image}"`;
  return new FilterscopeError(
    'labels-unknown',
    `${name}: ${message}. Images are named by their keys below the dataset's URL`,
  );
}
