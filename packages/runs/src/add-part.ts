import { addReadings, createAccumulator, type Accumulator } from '@filterscope/statistics/accumulator';
import { mergeArrays } from '@filterscope/statistics/from-arrays';
import { decodeArrays } from './accumulator-file.ts';
import { decodeParquet } from './parquet.ts';
import { decodeReadings } from './readings-table.ts';
import { rowClasses } from './row-classes.ts';
import { measuredLayers, type RunDocument } from './run-document.ts';

/** A chunk's share of a run's statistics: its stored accumulator, or its readings without some of the rows. */
export type MergePart =
  | { readonly accumulator: Uint8Array }
  | { readonly readings: Uint8Array; readonly without: ReadonlySet<number> };

/** Statistics of no image of a run. */
export function emptyAccumulator(document: RunDocument): Accumulator {
  return createAccumulator(measuredLayers(document), document.settings);
}

/** @throws RangeError when the part holds no statistics of the run. */
export function addPart(document: RunDocument, merged: Accumulator, part: MergePart): void {
  if ('accumulator' in part) return mergeArrays(merged, decodeArrays(part.accumulator));
  const classIds = new Map(document.classes.map((name, i) => [name, i]));
  for (const cells of decodeParquet(part.readings)) {
    const { row, class: cls } = cells;
    if (typeof row !== 'number') throw new RangeError('readings without a row');
    if (part.without.has(row)) continue;
    const names = rowClasses(document, typeof cls === 'string' ? cls : null);
    const ids = names.flatMap((name) => classIds.get(name) ?? []);
    addReadings(merged, { row, classIds: ids }, decodeReadings(merged.layers, cells));
  }
}
