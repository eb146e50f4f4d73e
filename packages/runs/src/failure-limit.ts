import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { failuresAdded, listCommits, readNamed, type CommitName } from './commit.ts';
import { encodeJson, parseStored } from './parse-stored.ts';
import type { RunDocument } from './run-document.ts';
import { failureLimitKey } from './run-keys.ts';
import { markRun } from './run-mark.ts';

const limitDocument = z.object({ v: z.literal(1), maxFailures: z.int().nonnegative() });

/**
 * Says how many images of a run may fail; null for any number. Beside `run.json`, not in it: whoever takes the run up again may
 * say another number.
 */
export async function setFailureLimit(
  output: ObjectStore,
  run: string,
  maxFailures: number | null,
  signal: AbortSignal,
): Promise<void> {
  const key = failureLimitKey(run);
  if (maxFailures === null) return output.delete([key], signal);
  const bytes = encodeJson({ v: 1, maxFailures });
  await output.put(key, bytes, { contentType: 'application/json', signal });
}

async function readFailureLimit(output: ObjectStore, run: string, signal: AbortSignal): Promise<number> {
  const key = failureLimitKey(run);
  try {
    const { bytes } = await output.get(key, undefined, signal);
    return parseStored(limitDocument, bytes, `${output.url}/${key}`).maxFailures;
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'object-missing') return Infinity;
    throw error;
  }
}

/** Counts the failed images of a run, over all its workers. Looked at again and again: each commit is read once. */
export interface FailureCount {
  read(signal: AbortSignal): Promise<number>;
}

const keyOf = ({ chunk, revision }: CommitName) => `${chunk}/${revision}`;

export function countFailures(output: ObjectStore, run: string): FailureCount {
  const known = new Map<string, number>();
  return {
    async read(signal) {
      const names = await listCommits(output, run, signal);
      const news = names.filter((name) => !known.has(keyOf(name)));
      for await (const commit of readNamed(output, run, news, signal))
        known.set(keyOf(commit), failuresAdded(commit));
      return known.values().reduce((total, failures) => total + failures, 0);
    },
  };
}

export interface RunWithFailures {
  readonly document: RunDocument;
  readonly output: ObjectStore;
  readonly failures: FailureCount;
}

/**
 * Gives a run up when more of its images have failed than its limit allows, by its commits.
 * @throws FilterscopeError `too-many-failures`, after marking the run as failed; what was committed stays.
 */
export async function enforceFailureLimit(
  { document: { run }, output, failures }: RunWithFailures,
  signal: AbortSignal,
): Promise<void> {
  const limit = await readFailureLimit(output, run, signal);
  if (limit === Infinity) return;
  const failed = await failures.read(signal);
  if (failed <= limit) return;
  const error = tooManyFailures(failed, limit);
  await markRun(output, run, 'failed', error.message);
  throw error;
}

export function tooManyFailures(failed: number, limit: number): FilterscopeError {
  const message =
    `${failed} images failed, more than --max-failures allows (${limit}); what was committed is kept. ` +
    '"failures" says why they did, "retry" redoes them, a larger --max-failures goes on';
  return new FilterscopeError('too-many-failures', message);
}
