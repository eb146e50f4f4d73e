import { randomBytes } from 'node:crypto';
import { addReadings, createAccumulator } from '@filterscope/statistics/accumulator';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { encodeAccumulator } from './accumulator-file.ts';
import { isRefusal, putCommit, putObject, type Commit } from './commit.ts';
import { imageColumns, type ImageRow } from './image-row.ts';
import type { ManifestReader } from './manifest.ts';
import { encodeParquet } from './parquet.ts';
import { processImage, type ImageOutcome } from './process-image.ts';
import { encodeReadings } from './readings-table.ts';
import { chunkRows, measuredLayers, type RunDocument } from './run-document.ts';
import { attemptFolder } from './run-keys.ts';
import { settleAll } from './settle-all.ts';
import { createStopwatch } from './stopwatch.ts';

export interface ChunkWork {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly manifest: ManifestReader;
  readonly engine: Engine;
  /** Waits for a place among the images in hand; one gate for all chunks of a process bounds its memory. */
  readonly gate: <Result>(work: () => Promise<Result>) => Promise<Result>;
  readonly onImage?: (row: ImageRow) => void;
  readonly signal: AbortSignal;
}

/**
 * Carries out the first pass of one chunk: every image of its rows, then what was measured, then the commit, which alone
 * makes it visible.
 * @returns the commit, or undefined when another attempt's commit was first; what this attempt wrote is then deleted.
 * @throws the first error that is no image's own fault, with nothing of this attempt visible.
 */
export async function carryOutChunk(work: ChunkWork, chunk: number): Promise<Commit | undefined> {
  const { document, output } = work;
  const attempt = `${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`;
  const folder = attemptFolder(document.run, chunk, attempt);
  const startedAt = new Date().toISOString();
  const stopwatch = createStopwatch();
  const execute = async (): Promise<Commit> => {
    const outcomes = await processRows(work, chunk, folder, stopwatch);
    const objects = await storeResults(work, folder, outcomes);
    work.signal.throwIfAborted();
    const count = (status: string) => outcomes.filter(({ row }) => row.status === status).length;
    return {
      v: 1,
      run: document.run,
      chunk,
      revision: 0,
      attempt,
      rows: outcomes.length,
      ok: count('ok'),
      failed: count('failed'),
      skipped: count('skipped'),
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
  { document, dataset, output, manifest, engine, gate, onImage, signal }: ChunkWork,
  chunk: number,
  folder: string,
  stopwatch: ReturnType<typeof createStopwatch>,
): Promise<ImageOutcome[]> {
  const { from, to } = chunkRows(document, chunk);
  const entries = await manifest.read(from, to, signal);
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const image = (entry: (typeof entries)[number], i: number) =>
    gate(async () => {
      either.throwIfAborted();
      const row = from + i;
      const gridFolder = row < document.gridRows ? { gridFolder: folder } : {};
      const work = { document, dataset, output, engine, stopwatch, signal: either, ...gridFolder };
      const outcome = await processImage(work, entry, row);
      onImage?.(outcome.row);
      return outcome;
    }).catch((error: unknown) => {
      failure.abort(error); // the other images of the chunk are of no use any more
      throw error;
    });
  const settled = await Promise.allSettled(entries.map(image));
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
  return settled.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
}

async function storeResults(
  { document, output, signal }: ChunkWork,
  folder: string,
  outcomes: readonly ImageOutcome[],
) {
  const layers = measuredLayers(document);
  const names = layers.map(({ layer }) => layer);
  const classIds = new Map(document.classes.map((name, i) => [name, i]));
  const accumulator = createAccumulator(layers);
  const read = outcomes.flatMap(({ row, readings }) => (readings ? [{ ...row, readings }] : []));
  for (const { row, class: cls, readings } of read) {
    addReadings(accumulator, { row, classId: cls === null ? -1 : (classIds.get(cls) ?? -1) }, readings);
  }
  const put = async (name: string, encode: () => Uint8Array | Promise<Uint8Array>) =>
    putObject(output, `${folder}${name}`, await encode(), signal);
  const keep = document.settings.readings === 'full' && read.length > 0;
  const [images, accumulators, readings] = await settleAll([
    put('images.parquet', () => encodeParquet(imageColumns(names), outcomes.map(imageCells))),
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
