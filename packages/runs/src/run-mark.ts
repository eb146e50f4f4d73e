import type { ObjectStore } from '@filterscope/storage/object-store';
import { encodeJson } from './parse-stored.ts';
import { cancelledKey, stoppedKey } from './run-keys.ts';

/** Ways in which a run ends before it is complete; its commits stay, and it may be taken up again. */
export type RunMark = 'cancelled' | 'failed';

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

/** Takes up a run again. */
export async function unmarkRun(output: ObjectStore, run: string, signal?: AbortSignal): Promise<void> {
  await output.delete([keyOf('cancelled', run), keyOf('failed', run)], signal);
}
