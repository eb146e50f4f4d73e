import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { parseStored } from './parse-stored.ts';
import { completeKey } from './run-keys.ts';

const keys = z.array(z.string());
const indexDocument = z.object({
  v: z.literal(1),
  run: z.string(),
  /** Follows from the commits that went in: the same commits give the same generation. */
  generation: z.string(),
  builtAt: z.iso.datetime(),
  /** Rows of the manifest that have their result: all of them when the run is complete. */
  images: z.int(),
  /** The row that the run stopped at, because its intervals were narrow enough; null for one over all images. */
  stoppedAt: z.int().nullable().default(null),
  ok: z.int(),
  failed: z.int(),
  skipped: z.int(),
  /** Of those that are ok: taken from an earlier run. */
  reused: z.int().default(0),
  /** Images that are ok and hold the same bytes as one of an earlier row that is. */
  duplicates: z.int(),
  /** Every engine that took part; more than one means that last bits may differ between images. */
  engines: z.array(z.object({ name: z.string(), version: z.string(), processor: z.string() })),
  /** From the first attempt's beginning to the last commit. */
  startedAt: z.iso.datetime(),
  committedAt: z.iso.datetime(),
  tables: z.object({ runs: keys, layers: keys, filters: keys, images: keys, readings: keys }),
  /** The accumulators of the whole run. */
  merged: z.string(),
  /** Images in the filters' top lists, whose pictures are to be kept for crops. */
  cropImages: z.int(),
});
/** What the index of a run holds and where. `complete.json` names the newest one of a complete run. */
export type IndexDocument = Readonly<z.infer<typeof indexDocument>>;

/** @returns undefined for a run that is not complete. */
export async function readComplete(
  output: ObjectStore,
  run: string,
  signal?: AbortSignal,
): Promise<IndexDocument | undefined> {
  const key = completeKey(run);
  try {
    const { bytes } = await output.get(key, undefined, signal);
    return parseStored(indexDocument, bytes, `${output.url}/${key}`);
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'object-missing') return undefined;
    throw error;
  }
}
