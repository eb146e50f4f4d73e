import type { ObjectStore } from '@filterscope/storage/object-store';
import { unlessPermanent } from './find-reuse.ts';
import { ROWS_PER_PART } from './manifest.ts';
import { decodeParquet, encodeParquet, type Columns } from './parquet.ts';
import type { RunDocument } from './run-document.ts';
import { reusePartKey } from './run-keys.ts';

/** Which images of a run are in earlier runs. */
export interface Reuse {
  readonly runs: readonly RunDocument[];
  /** Engines that took part in them. */
  readonly engines: readonly string[];
  /** Images that need not even be fetched. */
  readonly unchanged: number;
  /** Images of the same name whose bytes have to be compared. */
  readonly sameName: number;
  /** Those in rows `from … to` (without `to`). */
  readonly entries: (from: number, to: number) => readonly ReuseEntry[];
}

/** A row, and the row of an earlier run that may have its readings. */
export interface ReuseEntry {
  readonly row: number;
  readonly run: string;
  readonly runRow: number;
}

const COLUMNS: Columns = { row: 'int32', run: 'string', runRow: 'int32' };

/**
 * Stores what was found, a part for each of the manifest's. Each entry is a hint that is checked where it is used: parts of two
 * processes that plan the same run may lie side by side.
 */
export async function storeReuse(
  output: ObjectStore,
  run: string,
  { entries }: Reuse,
  rows: number,
  signal?: AbortSignal,
): Promise<void> {
  for (let part = 0; part * ROWS_PER_PART < rows; part++) {
    const found = entries(part * ROWS_PER_PART, (part + 1) * ROWS_PER_PART).map((entry) => ({ ...entry }));
    if (found.length === 0) continue;
    await output.put(reusePartKey(run, part), encodeParquet(COLUMNS, found), signal ? { signal } : {});
  }
}

/** The entries of rows `from … to` (without `to`). */
export async function readReuse(
  output: ObjectStore,
  run: string,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<ReuseEntry[]> {
  const found: ReuseEntry[] = [];
  for (let part = Math.floor(from / ROWS_PER_PART); part * ROWS_PER_PART < to; part++) {
    const object = await unlessPermanent(output.get(reusePartKey(run, part), undefined, signal));
    for (const { row, run, runRow } of object ? decodeParquet(object.bytes) : []) {
      if (typeof row !== 'number' || typeof run !== 'string' || typeof runRow !== 'number') continue;
      if (row >= from && row < to) found.push({ row, run, runRow });
    }
  }
  return found;
}
