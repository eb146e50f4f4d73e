import type { RunPlace } from '@filterscope/queue/job';
import type { WorkerReport } from '@filterscope/queue/worker-reports';
import type { Context } from './context.ts';
import { count } from './format.ts';

/** What the queue knows of a run. */
export interface QueueFacts {
  /** Every worker that was heard of lately; those at work on the run have it in `runs`. */
  readonly workers: readonly WorkerReport[];
  /** Chunks of the run that are not done. */
  readonly open: number;
  /** What a person should know; empty when all is well. */
  readonly trouble: string;
}

/** @returns undefined where nobody said where Redis is, or it is out of reach: the store alone is asked then. */
export async function queueFacts(context: Context, place: RunPlace): Promise<QueueFacts | undefined> {
  if (!context.environment.redisGiven) return undefined;
  const { withQueue } = await import('./with-queue.ts');
  try {
    return await withQueue(context, async ({ queue, workers }) => {
      const [reports, open, givenUp] = [await workers(), await queue.open(place), await queue.givenUp(place)];
      return { workers: reports, open, trouble: troubleOf(reports.length, open, givenUp) };
    });
  } catch {
    return undefined;
  }
}

function troubleOf(workers: number, open: number, givenUp: readonly { reason: string }[]): string {
  if (givenUp.length > 0) {
    const jobs = givenUp.length === 1 ? '1 job was' : `${count(givenUp.length)} jobs were`;
    return `${jobs} given up (${givenUp[0].reason}); "resume" tries again`;
  }
  if (open > 0 && workers === 0) return 'No worker is there; start one with "npx filterscope worker".';
  return '';
}
