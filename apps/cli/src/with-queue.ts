import { connectRedis, redisError } from '@filterscope/queue/redis';
import { openRunQueue, type RunQueue } from '@filterscope/queue/run-queue';
import { readReports, type WorkerReport } from '@filterscope/queue/worker-reports';
import type { Context } from './context.ts';

/** The queue, and who works at it. */
export interface QueueHere {
  readonly queue: RunQueue;
  readonly workers: () => Promise<WorkerReport[]>;
}

/**
 * Asks the queue, or tells it something.
 * @throws FilterscopeError `redis-unavailable` within seconds when Redis is out of reach; `redis-refused`, `redis-full`.
 */
export async function withQueue<Result>(
  { environment: { redisUrl } }: Context,
  work: (here: QueueHere) => Promise<Result>,
): Promise<Result> {
  let last: Error | undefined;
  const redis = connectRedis(redisUrl, 'prompt', (error) => (last = error));
  try {
    await redis.ping();
    if (last?.name === 'ReplyError') throw last; // the database was not to be had: this would be another
    await using queue = openRunQueue(redis, () => undefined);
    return await work({ queue, workers: () => readReports(redis) });
  } catch (error) {
    throw redisError(error, redisUrl, last);
  } finally {
    redis.disconnect();
  }
}
