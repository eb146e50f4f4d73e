import { randomBytes } from 'node:crypto';
import { addReadings, createAccumulator, type Accumulator } from '@filterscope/statistics/accumulator';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { encodeAccumulator } from './accumulator-file.ts';
import { isRefusal, putCommit, putObject, type Commit } from './commit.ts';
import { earlierResults, type EarlierResult } from './earlier-results.ts';
import { requireScales } from './grey-scales.ts';
import { imageColumns, type ImageRow } from './image-row.ts';
import { DEADLY, type ChunkJournal } from './journal.ts';
import type { ManifestRow } from './manifest-rows.ts';
import type { ManifestReader } from './manifest.ts';
import { encodeParquet } from './parquet.ts';
import {
  fetchImage,
  processImage,
  takenOver,
  unprocessed,
  withoutFetching,
  type Drawing,
  type ImageOutcome,
  type ImageWork,
} from './process-image.ts';
import { encodeReadings } from './readings-table.ts';
import { rowClasses } from './row-classes.ts';
import { chunkRows, measuredLayers, type RunDocument } from './run-document.ts';
import { attemptFolder } from './run-keys.ts';
import { settleAll } from './settle-all.ts';
import { createStopwatch, type Stopwatch } from './stopwatch.ts';
import type { Workplace } from './workplace.ts';

export interface ChunkWork {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly manifest: ManifestReader;
  readonly engine: Engine;
  readonly workplace: Workplace;
  /** Where it is kept what is in hand; without, an image that kills the process kills it each time. */
  readonly journal?: ChunkJournal;
  /** @param reused whether it was taken from an earlier run */
  readonly onImage?: (row: ImageRow, reused: boolean) => void;
  readonly signal: AbortSignal;
}

/** Which rows of a chunk are carried out: all of them in the first pass, those that a retry redoes in a later one. */
export interface Pass {
  /** 0 is the first pass. */
  readonly revision: number;
  /** In rising order. */
  readonly rows: readonly number[];
}

/** The pass over all rows of a chunk. */
export function firstPass(document: RunDocument, chunk: number): Pass {
  const { from, to } = chunkRows(document, chunk);
  return { revision: 0, rows: Array.from({ length: to - from }, (_, i) => from + i) };
}

/**
 * Carries out one pass over a chunk: every image of its rows, then what was measured, then the commit, which alone makes it
 * visible.
 * @returns the commit, or undefined when another attempt's commit was first; what this attempt wrote is then deleted.
 * @throws the first error that is no image's own fault, with nothing of this attempt visible.
 */
export async function carryOutChunk(
  work: ChunkWork,
  chunk: number,
  pass: Pass = firstPass(work.document, chunk),
): Promise<Commit | undefined> {
  const { document, output } = work;
  const attempt = `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
  const folder = attemptFolder(document.run, chunk, attempt);
  const startedAt = new Date().toISOString();
  const stopwatch = createStopwatch();
  const execute = async (): Promise<Commit> => {
    const accumulator = createAccumulator(measuredLayers(document), document.settings);
    const outcomes = await processRows(work, pass.rows, folder, stopwatch, accumulator);
    const objects = await storeResults(work, folder, outcomes, accumulator, stopwatch);
    work.signal.throwIfAborted();
    const count = (status: string) => outcomes.filter(({ row }) => row.status === status).length;
    return {
      v: 1,
      run: document.run,
      chunk,
      revision: pass.revision,
      attempt,
      rows: outcomes.length,
      ok: count('ok'),
      failed: count('failed'),
      skipped: count('skipped'),
      reused: outcomes.filter(({ reused }) => reused).length,
      engine: work.engine.identity,
      startedAt,
      committedAt: new Date().toISOString(),
      stageSeconds: stopwatch.seconds(),
      folder,
      ...objects,
    };
  };
  const commit = await execute().catch(async (error: unknown) => {
    await discard(output, folder);
    throw error;
  });
  const first = await putCommit(output, commit).catch(async (error: unknown) => {
    if (isRefusal(error)) await discard(output, folder);
    throw error;
  });
  if (first) return commit;
  await discard(output, folder);
  return undefined;
}

async function processRows(
  work: ChunkWork,
  rows: readonly number[],
  folder: string,
  stopwatch: Stopwatch,
  accumulator: Accumulator,
): Promise<ImageOutcome[]> {
  const { document, manifest, journal, onImage, signal } = work;
  const [first, last] = [rows[0], rows[rows.length - 1]];
  const entries = await manifest.read(first, last + 1, signal);
  const drawing = first < document.gridRows ? { folder, scales: await requireScales(work) } : undefined;
  const suspects = (await journal?.suspects()) ?? new Map<number, number>();
  const classIds = new Map(document.classes.map((name, i) => [name, i]));
  const earlier = await earlierResults(work, rows, entries);
  const failure = new AbortController();
  const shared = { ...work, drawing, stopwatch, signal: AbortSignal.any([signal, failure.signal]) };

  const image = async (row: number): Promise<ImageOutcome> => {
    try {
      const outcome = await carryOutRow(
        shared,
        entries[row - first],
        row,
        suspects.get(row) ?? 0,
        earlier.get(row),
      );
      const { readings } = outcome;
      const own = rowClasses(document, outcome.row.class).flatMap((name) => classIds.get(name) ?? []);
      if (readings) addReadings(accumulator, { row, classIds: own }, readings);
      onImage?.(outcome.row, outcome.reused === true);
      return outcome;
    } catch (error) {
      failure.abort(error); // the other images of the chunk are of no use any more
      throw error;
    }
  };
  // Whoever may have killed a process goes first, by itself: if it kills another, nothing else is suspected.
  const order = [...rows.filter((row) => suspects.has(row)), ...rows.filter((row) => !suspects.has(row))];
  const settled = await Promise.allSettled(order.map(image));
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
  return settled
    .flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    .toSorted((a, b) => a.row.row - b.row.row);
}

type RowWork = ChunkWork & { readonly drawing: Drawing | undefined; readonly stopwatch: Stopwatch };

/** @param deaths attempts that ended with this row in hand */
async function carryOutRow(
  work: RowWork,
  entry: ManifestRow,
  row: number,
  deaths: number,
  earlier: EarlierResult | undefined,
): Promise<ImageOutcome> {
  const { document, dataset, output, engine, workplace, journal, drawing, stopwatch, signal } = work;
  if (earlier?.unchanged) {
    const outcome = await takenOver(document, entry, row, earlier);
    if (outcome) return outcome;
  }
  if (deaths >= DEADLY) return unprocessed(entry, row, 'failed', poison(deaths));
  const unfetched = withoutFetching(entry, row);
  if (unfetched) return unfetched;
  const { result: fetched, release } = await workplace.fetchAhead(entry.sizeBytes, async () => {
    signal.throwIfAborted();
    return stopwatch.time('fetch', fetchImage(dataset, entry, signal));
  });
  const drawn = drawing && row < document.gridRows ? { drawing } : {};
  const imageWork: ImageWork = {
    document,
    output,
    engine,
    stopwatch,
    signal,
    ...drawn,
    ...(earlier && { earlier }),
  };
  const handle = async (): Promise<ImageOutcome> => {
    release();
    signal.throwIfAborted();
    if ('code' in fetched) return unprocessed(entry, row, 'failed', fetched);
    await journal?.takeUp(row);
    try {
      const outcome = await processImage(imageWork, entry, row, fetched.bytes);
      if (deaths > 0) await journal?.acquit(row);
      return outcome;
    } finally {
      await journal?.putDown(row);
    }
  };
  return deaths > 0 ? workplace.alone(handle) : workplace.inHand(handle);
}

const poison = (deaths: number) => ({
  code: 'poison',
  message: `${deaths} processes ended with this image in hand; "retry --code poison" tries it again`,
});

async function storeResults(
  { document, output, signal }: ChunkWork,
  folder: string,
  outcomes: readonly ImageOutcome[],
  accumulator: Accumulator,
  stopwatch: Stopwatch,
) {
  const layers = measuredLayers(document);
  const names = layers.map(({ layer }) => layer);
  const read = outcomes.flatMap(({ row, readings }) => (readings ? [{ ...row, readings }] : []));
  const put = async (name: string, encode: () => Promise<Uint8Array>) => {
    const bytes = await stopwatch.time('encode', encode());
    return stopwatch.time('put', putObject(output, `${folder}${name}`, bytes, signal));
  };
  const keep = document.settings.readings === 'full' && read.length > 0;
  const [images, accumulators, readings] = await settleAll([
    put('images.parquet', async () => encodeParquet(imageColumns(names), outcomes.map(imageCells))),
    put('accumulators.safetensors.zst', () => encodeAccumulator(accumulator)),
    keep ? put('readings.parquet', () => encodeReadings(layers, read)) : Promise.resolve(null),
  ]);
  return { images, accumulators, readings };
}

const imageCells = ({ row }: ImageOutcome) => ({ ...row });

/** Deletes what an attempt wrote that no commit names. Not stopped by the signal: it tidies up after one. */
async function discard(output: ObjectStore, folder: string): Promise<void> {
  try {
    const keys = (await Array.fromAsync(output.list(folder))).map(({ key }) => key);
    await output.delete(keys);
  } catch {
    // what stays is for gc
  }
}
