import { decodeColumns } from '@filterscope/runs/parquet';
import type { Results } from './open-results.ts';

/**
 * Rows that are ok and yet in no statistic: where duplicates count once, all but the first of each. Whoever counts from the table
 * `readings`, which holds them, leaves them out.
 */
export async function uncountedRows(
  { document, index, tables }: Results,
  signal?: AbortSignal,
): Promise<ReadonlySet<number>> {
  const rows = new Set<number>();
  if (document.settings.countDuplicates === 'each' || index.duplicates === 0) return rows;
  for (const key of index.tables.images) {
    const { bytes } = await tables.get(key, undefined, signal);
    const table = decodeColumns(bytes);
    const [row, duplicateOf] = ['row', 'duplicateOf'].map((name) => table.getChild(name)!);
    for (let i = 0; i < table.numRows; i++) if (duplicateOf.get(i) !== null) rows.add(row.get(i) as number);
  }
  return rows;
}
