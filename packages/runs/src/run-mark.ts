import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { encodeJson, parseStored } from './parse-stored.ts';
import { cancelledKey, stoppedKey } from './run-keys.ts';

/** Ways in which a run ends before it is complete; its commits stay, and it may be taken up again. */
export type RunMark = 'cancelled' | 'failed';

const markDocument = z.object({ v: z.literal(1), at: z.iso.datetime(), reason: z.string() });

const keyOf = (mark: RunMark, run: string) => (mark === 'cancelled' ? cancelledKey(run) : stoppedKey(run));

/** Marks a run as ended, with the reason: whoever carries it out takes no further chunk of it. */
export async function markRun(
  output: ObjectStore,
  run: string,
  mark: RunMark,
  reason: string,
): Promise<void> {
  const bytes = encodeJson({ v: 1, at: new Date().toISOString(), reason });
  await output.put(keyOf(mark, run), bytes, { contentType: 'application/json' });
}

/** Why a run ended before it was complete. @returns undefined for one without this mark. */
export async function readReason(
  output: ObjectStore,
  run: string,
  mark: RunMark,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const key = keyOf(mark, run);
  try {
    const { bytes } = await output.get(key, undefined, signal);
    return parseStored(markDocument, bytes, `${output.url}/${key}`).reason;
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'object-missing') return undefined;
    throw error;
  }
}

/** Takes up a run again. */
export async function unmarkRun(output: ObjectStore, run: string, signal?: AbortSignal): Promise<void> {
  await output.delete([keyOf('cancelled', run), keyOf('failed', run)], signal);
}
