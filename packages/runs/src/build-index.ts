import { createHash } from 'node:crypto';
import type { Accumulator } from '@filterscope/statistics/accumulator';
import { summarizeFilters, summarizeLayers } from '@filterscope/statistics/summary';
import { listedRows } from '@filterscope/statistics/top-images';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { MergePart } from './add-part.ts';
import { ahead } from './ahead.ts';
import { encodeAccumulator } from './accumulator-file.ts';
import { getObject, type Commit } from './commit.ts';
import { IMAGE_STATUSES } from './image-row.ts';
import { imagesFiles } from './images-table.ts';
import { encodeParquetAside } from './encode-aside.ts';
import type { IndexDocument } from './index-document.ts';
import { mergeParts, mergingThreads } from './merge-parts.ts';
import { encodeParquet, type Row } from './parquet.ts';
import type { PrecisionReached } from './precision.ts';
import { reachOf, type RunDocument } from './run-document.ts';
import { indexFolder, mergedKey, readingsKey, type IndexTable } from './run-keys.ts';
import { FILTER_COLUMNS, LAYER_COLUMNS, RUN_COLUMNS } from './table-columns.ts';

export interface IndexWork {
  readonly document: RunDocument;
  /** Every commit that goes in, in order of chunk and revision. */
  readonly commits: readonly Commit[];
  /** Where the commits' objects are. */
  readonly output: ObjectStore;
  /** Where the tables go; another store for a passing look at an unfinished run, which leaves readings where they are. */
  readonly into: ObjectStore;
  /** Where the run stopped early, if it did: rows from there on are skipped, and no commit that goes in is of a chunk from there on. */
  readonly reached?: PrecisionReached | undefined;
  readonly signal?: AbortSignal;
}

/**
 * The tables of a set of commits. The same commits give the same bytes under the same names, so that two processes which
 * complete a run together do no harm.
 */
export async function buildIndex(work: IndexWork): Promise<IndexDocument> {
  const { document, commits, into, reached, signal } = work;
  const { run, manifest, settings } = document;
  const generation = generationOf(commits);
  const put = async (key: string, bytes: Uint8Array) => {
    await into.put(key, bytes, signal ? { signal } : {});
    return key;
  };
  const tableKey = (table: IndexTable, part = 0) =>
    `${indexFolder(table, run)}${generation}-${String(part).padStart(5, '0')}.parquet`;

  // First, where it can be: the memory that joining the images leaves behind is not used again for merging.
  const mergedFirst = settings.countDuplicates === 'once' ? undefined : await mergeAll(work, []);
  const images: string[] = [];
  const counts = { ok: 0, failed: 0, skipped: 0 };
  const duplicates: number[] = [];
  for await (const file of imagesFiles(work)) {
    images.push(await put(tableKey('images', images.length), file.bytes));
    for (const status of IMAGE_STATUSES) counts[status] += file.counts[status];
    for (const row of file.duplicates) duplicates.push(row);
  }

  const merged = mergedFirst ?? (await mergeAll(work, duplicates));
  const { synthetic } = document.weights;
  const reach = reachOf(document);
  const layers = summarizeLayers(merged, reach).map((row): Row => ({ ...row, synthetic }));
  const filters = summarizeFilters(merged, reach).map((row): Row => ({ ...row, synthetic }));
  const total = (count: (commit: Commit) => number) =>
    commits.reduce((sum, commit) => sum + count(commit), 0);
  const readings =
    into === work.output ? await copyReadings(work) : commits.flatMap((commit) => commit.readings?.key ?? []);
  const times = commits.flatMap(({ startedAt, committedAt }) => [startedAt, committedAt]).toSorted();
  const index: IndexDocument = {
    v: 1,
    run,
    generation,
    builtAt: new Date().toISOString(),
    images: reached ? manifest.rows : total(({ revision, rows }) => (revision === 0 ? rows : 0)),
    stoppedAt: reached?.row ?? null,
    ...counts,
    duplicates: duplicates.length,
    reused: total(({ reused }) => reused),
    engines: enginesOf(commits),
    startedAt: times[0] ?? document.createdAt,
    committedAt: times.at(-1) ?? document.createdAt,
    tables: {
      runs: [
        await put(
          tableKey('runs'),
          encodeParquet(RUN_COLUMNS, [runRow(document, { ...counts, duplicates: duplicates.length })]),
        ),
      ],
      layers: [await put(tableKey('layers'), encodeParquet(LAYER_COLUMNS, layers))],
      filters: [await put(tableKey('filters'), await encodeParquetAside(FILTER_COLUMNS, filters))],
      images,
      readings,
    },
    merged: await put(mergedKey(run, generation), await encodeAccumulator(merged)),
    cropImages: listedRows(merged.top).length,
  };
  return index;
}

export function generationOf(commits: readonly Commit[]): string {
  const parts = commits.map(({ chunk, revision, attempt }) => [chunk, revision, attempt]);
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** @param uncounted rows that do not count, in rising order */
function mergeAll(
  { document, commits, output, signal }: IndexWork,
  uncounted: readonly number[],
): Promise<Accumulator> {
  const byChunk = Map.groupBy(uncounted, (row) => Math.floor(row / document.chunkSize));
  const read = async ({ chunk, accumulators, readings }: Commit): Promise<MergePart[]> => {
    const without = byChunk.get(chunk);
    if (!without) return [{ accumulator: await getObject(output, accumulators, signal) }];
    // Top lists and maxima cannot be taken back: the chunk is counted again from its readings.
    return readings
      ? [{ readings: await getObject(output, readings, signal), without: new Set(without) }]
      : [];
  };
  return mergeParts(document, flat(ahead(commits, read)), mergingThreads(commits.length));
}

async function* flat<Item>(batches: AsyncIterable<readonly Item[]>): AsyncGenerator<Item> {
  for await (const batch of batches) yield* batch;
}

/** Readings are immutable and only ever added to: a revision's file is named by chunk and revision, and stays. */
async function copyReadings({ document, commits, output, signal }: IndexWork): Promise<string[]> {
  const keys: string[] = [];
  const copy = async ({ readings, chunk, revision }: Commit) => {
    if (!readings) return undefined;
    const key = readingsKey(document.run, chunk, revision);
    await output.copy(readings.key, key, signal);
    return key;
  };
  for await (const key of ahead(commits, copy)) if (key) keys.push(key);
  return keys;
}

function enginesOf(commits: readonly Commit[]): IndexDocument['engines'] {
  const engines = new Map(commits.map(({ engine }) => [JSON.stringify(engine), engine]));
  return [...engines.values()].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

function runRow(
  { dataset, weights, manifest, labels, settings, createdAt }: RunDocument,
  counts: Record<string, number>,
): Row {
  const { name, synthetic, flavour, sha256 } = weights;
  const { fit, kernel, countDuplicates } = settings;
  const layers = settings.layers.join(',');
  const identity = { dataset, createdAt, weights: name, weightsSha256: sha256, flavour, synthetic };
  const named = { ...identity, labels: labels?.name ?? null, layers, fit, kernel, countDuplicates };
  return { ...named, images: manifest.rows, ...counts };
}
