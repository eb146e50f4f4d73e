import type { RunDocument } from './run-document.ts';

/** Between the classes of an image that has several, in `class` of a run with labels; in no label's name. */
export const CLASS_SEPARATOR = '|';

/** The classes of an image by the `class` of its row: one folder's name, or, in a run with labels, any number of them. */
export function rowClasses({ labels }: Pick<RunDocument, 'labels'>, cls: string | null): string[] {
  if (cls === null) return [];
  return labels ? cls.split(CLASS_SEPARATOR) : [cls];
}
