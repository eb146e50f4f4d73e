import { Table, tableFromIPC, tableToIPC, type Vector } from 'apache-arrow';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { ahead } from './ahead.ts';
import { getObject, type Commit } from './commit.ts';
import { encodeArrowAside, encodeParquetAside } from './encode-aside.ts';
import { imageColumns, PRECISION_REACHED } from './image-row.ts';
import { openManifest } from './manifest.ts';
import { columnVector, decodeColumns, encodeParquet } from './parquet.ts';
import type { PrecisionReached } from './precision.ts';
import { unprocessed } from './process-image.ts';
import { lastRows } from './retry-pass.ts';
import { type RunDocument } from './run-document.ts';

export interface ImagesTableWork {
  readonly document: RunDocument;
  /** In order of chunk and revision. */
  readonly commits: readonly Commit[];
  /** Where the commits' objects are. */
  readonly output: ObjectStore;
  /** Where the run stopped early, if it did. */
  readonly reached?: PrecisionReached | undefined;
  readonly signal?: AbortSignal;
}

/** A file of the table, with what it says of its images. */
export interface ImagesFile {
  readonly bytes: Uint8Array;
  readonly counts: Readonly<Record<'ok' | 'failed' | 'skipped', number>>;
  /** Rows that are ok and hold the same bytes as an earlier one that is, in rising order. */
  readonly duplicates: readonly number[];
}

/** Rows of one file: few enough that writing one takes little memory. */
const ROWS_PER_FILE = 8_192;

/**
 * The table `images`, a file at a time, in manifest order: of each image what its chunk's last revision says. Columns are put together as they
 * are: objects for a million rows would take minutes.
 */
export async function* imagesFiles({
  document,
  commits,
  output,
  reached,
  signal,
}: ImagesTableWork): AsyncGenerator<ImagesFile> {
  const columns = imageColumns(document.settings.layers);
  const names = Object.keys(columns).join();
  /** First row by SHA-256. */
  const firstRows = new Map<string, number>();
  const read = async (chunk: readonly Commit[]): Promise<Table> => {
    const [first, ...later] = chunk;
    const table = decodeColumns(
      later.length === 0
        ? await getObject(output, first.images, signal)
        : encodeParquet(
            columns,
            (await lastRows(output, chunk, signal)).map((row) => ({ ...row })),
          ),
    );
    if (table.schema.names.join() === names) return table;
    throw new FilterscopeError(
      'broken-object',
      `${output.url}/${first.images.key} has other columns than it should`,
    );
  };

  let parts: Part[] = [];
  let rows = 0;
  for await (const table of ahead([...Map.groupBy(commits, ({ chunk }) => chunk).values()], read)) {
    parts.push(examine(table, firstRows));
    rows += table.numRows;
    if (rows < ROWS_PER_FILE) continue;
    yield await fileOf(parts);
    parts = [];
    rows = 0;
  }
  if (rows > 0) yield await fileOf(parts);
  if (reached) yield* skippedFiles(document, output, reached, signal);
}

/** The rows that a run which stopped early did not look at, or looked at for nothing. */
async function* skippedFiles(
  document: RunDocument,
  output: ObjectStore,
  { row: first, images }: PrecisionReached,
  signal?: AbortSignal,
): AsyncGenerator<ImagesFile> {
  const { run, settings, manifest } = document;
  const why = {
    code: PRECISION_REACHED,
    message: `not looked at: after ${images} images every interval was narrow enough`,
  };
  const reader = openManifest(output, run);
  for (let from = first; from < manifest.rows; from += ROWS_PER_FILE) {
    const entries = await reader.read(from, Math.min(from + ROWS_PER_FILE, manifest.rows), signal);
    const rows = entries.map((entry, i) => ({ ...unprocessed(entry, from + i, 'skipped', why).row }));
    yield {
      bytes: await encodeParquetAside(imageColumns(settings.layers), rows),
      counts: { ok: 0, failed: 0, skipped: rows.length },
      duplicates: [],
    };
  }
}

interface Part extends Omit<ImagesFile, 'bytes'> {
  readonly table: Table;
}

/** Counts a chunk's rows and says of each duplicate what it is one of. */
function examine(table: Table, firstRows: Map<string, number>): Part {
  const [row, status, sha256] = ['row', 'status', 'sha256'].map((name) => table.getChild(name)!) as [
    Vector,
    Vector,
    Vector,
  ];
  const counts = { ok: 0, failed: 0, skipped: 0 };
  const duplicates: number[] = [];
  const duplicateOf: (number | null)[] = [];
  for (let i = 0; i < table.numRows; i++) {
    const what = status.get(i) as keyof typeof counts;
    counts[what]++;
    duplicateOf.push(null);
    if (what !== 'ok') continue;
    const [content, number] = [sha256.get(i) as string, row.get(i) as number];
    const first = firstRows.get(content);
    if (first === undefined) firstRows.set(content, number);
    else {
      duplicateOf[i] = first;
      duplicates.push(number);
    }
  }
  if (duplicates.length === 0) return { table, counts, duplicates };
  // Written and read, because only then has it the very types of a table that was read: Arrow drops batches of others.
  const column = tableFromIPC(tableToIPC(new Table({ duplicateOf: columnVector('int32', duplicateOf) })));
  return { table: table.assign(column), counts, duplicates };
}

async function fileOf(parts: readonly Part[]): Promise<ImagesFile> {
  const { schema } = parts[0].table;
  const whole = new Table(
    schema,
    parts.flatMap(({ table }) => table.batches),
  );
  const stream = new Uint8Array(tableToIPC(whole, 'stream'));
  if (tableFromIPC(stream).numRows !== whole.numRows) throw new Error('Arrow has dropped rows of images');
  const sum = (status: keyof ImagesFile['counts']) =>
    parts.reduce((total, { counts }) => total + counts[status], 0);
  return {
    bytes: await encodeArrowAside(stream),
    counts: { ok: sum('ok'), failed: sum('failed'), skipped: sum('skipped') },
    duplicates: parts.flatMap(({ duplicates }) => duplicates),
  };
}
