import type { ObjectStore } from '@filterscope/storage/object-store';
import { encodeJson } from './parse-stored.ts';
import { stoppedKey } from './run-keys.ts';

/** Marks a run as given up, with the reason; its commits stay and it may be taken up again. */
export async function markStopped(output: ObjectStore, run: string, reason: string): Promise<void> {
  const bytes = encodeJson({ v: 1, at: new Date().toISOString(), reason });
  await output.put(stoppedKey(run), bytes, { contentType: 'application/json' });
}

export async function unmarkStopped(output: ObjectStore, run: string, signal?: AbortSignal): Promise<void> {
  await output.delete([stoppedKey(run)], signal);
}
