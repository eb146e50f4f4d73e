import { createHash } from 'node:crypto';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectInfo, ObjectStore } from '@filterscope/storage/object-store';
import { labelRows, type Labelling, type Labels } from './label-rows.ts';
import { collectRows, type ManifestRow, type ManifestRows } from './manifest-rows.ts';
import { decodeColumns, encodeParquet, rowReader, type Columns } from './parquet.ts';
import { manifestPartKey } from './run-keys.ts';

/** The frozen list of a run's images, in the order of SHA-256 of their keys. */
export interface Manifest {
  readonly rows: ManifestRows;
  /** SHA-256 over all rows, their classes among them. */
  readonly digest: string;
  /** What came of labels; null where the first folders are the classes. */
  readonly labelling: Labelling | null;
}

export interface ManifestOptions {
  /** Keys that do not match are not part of the dataset. */
  readonly include?: (key: string) => boolean;
  /** Only the first `limit` images in the manifest's order: a fair sample. Names that are no image's are left out. */
  readonly limit?: number;
  /** Give the images their classes, in place of their first folders. */
  readonly labels?: Labels;
}

/** Rows of one manifest object: few enough that the work of writing and reading one takes little memory. */
export const ROWS_PER_PART = 8_192;

/**
 * The manifest of a listing, whatever the listing's order.
 * @throws FilterscopeError for labels that cannot be used (see `labelRows`).
 */
export async function manifestOf(
  listing: Iterable<ObjectInfo> | AsyncIterable<ObjectInfo>,
  { include, limit, labels }: ManifestOptions = {},
): Promise<Manifest> {
  const collected = collectRows();
  for await (const info of listing) if (!include || include(info.key)) collected.add(info);
  const found = collected.sorted(limit);
  if (!labels || found.length === 0) return { rows: found, digest: digestOf(found), labelling: null };
  const { rows, labelling } = await labelRows(found, labels);
  return { rows, digest: digestOf(rows), labelling };
}

function digestOf(rows: ManifestRows): string {
  const hash = createHash('sha256');
  for (const row of rows)
    hash.update(JSON.stringify([row.image, row.sizeBytes, row.etag, row.class, row.skip]) + '\n');
  return hash.digest('hex');
}

const COLUMNS: Columns = {
  row: 'int32',
  image: 'string',
  sizeBytes: 'int64',
  etag: 'string',
  class: 'string',
  skip: 'string',
};

/** Stores a run's manifest; storing it again changes nothing. */
export async function storeManifest(
  output: ObjectStore,
  run: string,
  { rows }: Manifest,
  signal?: AbortSignal,
): Promise<void> {
  for (let from = 0; from < rows.length; from += ROWS_PER_PART) {
    const part = rows.slice(from, from + ROWS_PER_PART).map((row, i) => ({ row: from + i, ...row }));
    const key = manifestPartKey(run, from / ROWS_PER_PART);
    await output.put(key, encodeParquet(COLUMNS, part), signal ? { signal } : {});
  }
}

/** Reads ranges of a stored manifest, keeping the last two parts at hand. */
export interface ManifestReader {
  /** Rows `from … to` (without `to`), which must lie in the manifest. */
  read(from: number, to: number, signal?: AbortSignal): Promise<readonly ManifestRow[]>;
}

export function openManifest(output: ObjectStore, run: string): ManifestReader {
  const parts = new Map<number, Promise<PartRows>>();
  const partAt = (part: number, signal?: AbortSignal): Promise<PartRows> => {
    const known = parts.get(part);
    if (known) return known;
    const opened = openPart(output, run, part, signal);
    opened.catch(() => parts.delete(part));
    parts.set(part, opened);
    if (parts.size > 2) parts.delete(parts.keys().next().value!);
    return opened;
  };
  return {
    async read(from, to, signal) {
      const rows: ManifestRow[] = [];
      for (let row = from; row < to; row++) {
        const rowAt = await partAt(Math.floor(row / ROWS_PER_PART), signal);
        rows.push(rowAt(row % ROWS_PER_PART));
      }
      return rows;
    },
  };
}

/**
 * Makes rows of a part when they are asked for: a filter's top images lie in as many parts as they are.
 * @param index within the part
 * @throws FilterscopeError `broken-manifest`
 */
type PartRows = (index: number) => ManifestRow;

async function openPart(
  output: ObjectStore,
  run: string,
  part: number,
  signal?: AbortSignal,
): Promise<PartRows> {
  const { bytes } = await output.get(manifestPartKey(run, part), undefined, signal);
  const table = decodeColumns(bytes);
  const cellsAt = rowReader(table);
  return (index) => {
    if (index >= table.numRows) throw brokenManifest(run);
    const { row, image, sizeBytes, etag, class: cls, skip } = cellsAt(index);
    const valid =
      row === part * ROWS_PER_PART + index &&
      typeof image === 'string' &&
      typeof sizeBytes === 'number' &&
      typeof etag === 'string';
    if (!valid) throw brokenManifest(run);
    return {
      image,
      sizeBytes,
      etag,
      class: typeof cls === 'string' ? cls : null,
      skip: typeof skip === 'string' ? skip : null,
    };
  };
}

function brokenManifest(run: string): FilterscopeError {
  return new FilterscopeError(
    'broken-manifest',
    `the manifest of run ${run} is incomplete; delete the run and start it again`,
  );
}
