import { setImmediate } from 'node:timers/promises';
import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { createAccumulator } from '@filterscope/statistics/accumulator';
import { mergeArrays } from '@filterscope/statistics/from-arrays';
import { widestIntervals } from '@filterscope/statistics/summary';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { decodeArrays } from './accumulator-file.ts';
import { ahead } from './ahead.ts';
import { getObject, readFirstPasses, type Commit } from './commit.ts';
import { encodeJson, parseStored } from './parse-stored.ts';
import { chunkCount, measuredLayers, reachOf, type RunDocument } from './run-document.ts';
import { precisionKey } from './run-keys.ts';

/** A beginning of the manifest is looked at whenever it has grown by so many rows, whatever the chunks are. */
export const ROWS_A_LOOK = 1024;
/** Images that have to be ok before a look counts: with fewer, what intervals rest on does not hold yet. */
const LEAST_IMAGES = 1000;

const precisionDocument = z.object({
  v: z.literal(1),
  /** Rows from this one on are not part of the results. */
  row: z.int().positive(),
  /** Which look it was, counted from 1. */
  look: z.int().positive(),
  /** Images before that row that are ok. */
  images: z.int(),
  /** Half of the widest intervals of the layers and of the filters. */
  widest: z.object({ layers: z.number(), filters: z.number() }),
});
/** Where a run stopped early. It follows from the first passes over the rows before: whoever decides decides the same. */
export type PrecisionReached = Readonly<z.infer<typeof precisionDocument>>;

/** @returns undefined for a run that did not stop early, not yet or not at all. */
export async function readPrecision(
  { run, settings }: RunDocument,
  output: ObjectStore,
  signal?: AbortSignal,
): Promise<PrecisionReached | undefined> {
  if (!settings.until) return undefined;
  const key = precisionKey(run);
  try {
    const { bytes } = await output.get(key, undefined, signal);
    return parseStored(precisionDocument, bytes, `${output.url}/${key}`);
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'object-missing') return undefined;
    throw error;
  }
}

/** How many chunks, from the first on, make up the results: all of them, unless the run stopped early. */
export function chunksNeeded(document: RunDocument, reached: PrecisionReached | undefined): number {
  return reached ? reached.row / document.chunkSize : chunkCount(document);
}

/** Watches a run's intervals while its chunks get their commits. */
export interface PrecisionWatch {
  /**
   * Takes in the beginning of the manifest as far as it is complete now, each chunk once, and decides at every look that it passes.
   * Calls wait for each other.
   * @returns undefined as long as the run is to go on.
   */
  look(signal?: AbortSignal): Promise<PrecisionReached | undefined>;
}

export function watchPrecision(document: RunDocument, output: ObjectStore): PrecisionWatch {
  const { run, manifest, chunkSize, settings } = document;
  const { until } = settings;
  if (!until) return { look: () => Promise.resolve(undefined) };
  // Top lists and classes are of no interest here, but an accumulator takes only its like.
  const beginning = createAccumulator(measuredLayers(document), settings);
  let chunks = 0;
  let reached: PrecisionReached | undefined;

  const evaluate = (): PrecisionReached | undefined => {
    const row = chunks * chunkSize;
    const { images } = beginning;
    if (row % ROWS_A_LOOK !== 0 || row >= manifest.rows || images < LEAST_IMAGES) return undefined;
    const widest = widestIntervals(beginning, reachOf(document));
    const enough = Math.max(widest.layers, until.of === 'all' ? widest.filters : 0) <= until.halfWidth;
    return enough ? { v: 1, row, look: row / ROWS_A_LOOK, images, widest } : undefined;
  };

  const takeIn = async (signal?: AbortSignal): Promise<PrecisionReached | undefined> => {
    reached ??= await readPrecision(document, output, signal);
    if (reached) return reached;
    const read = async ({ accumulators }: Commit) =>
      decodeArrays(await getObject(output, accumulators, signal));
    for await (const arrays of ahead(
      readFirstPasses(output, run, chunks, chunkCount(document), signal),
      read,
    )) {
      mergeArrays(beginning, arrays);
      beginning.classes.clear();
      chunks += 1;
      const decision = evaluate();
      if (decision) {
        await output.put(precisionKey(run), encodeJson(decision), {
          ifAbsent: true,
          contentType: 'application/json',
        });
        reached = decision;
        return reached;
      }
      await setImmediate(); // each takes some milliseconds, which must not add up on the event loop
    }
    return undefined;
  };

  let last: Promise<unknown> = Promise.resolve();
  return {
    look(signal) {
      const mine = last.then(() => takeIn(signal));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}
