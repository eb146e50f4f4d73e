import type { Redis } from 'ioredis';
import { z } from 'zod';
import { workerKey, WORKERS_KEY } from './redis.ts';

const report = z.object({
  worker: z.string(),
  host: z.string(),
  pid: z.int(),
  /** For example `onnx-cpu 1.30.0 winograd`; null before the first job. */
  engine: z.string().nullable(),
  threads: z.int(),
  /** Over the last minute. */
  imagesPerSecond: z.number(),
  /** Share of the engine's time in use, 0–1, over the last minute. */
  busyShare: z.number(),
  /** Runs whose chunks it has in hand. */
  runs: z.array(z.string()),
  startedAt: z.iso.datetime(),
  reportedAt: z.iso.datetime(),
});
/** What a worker says of itself every few seconds. */
export type WorkerReport = Readonly<z.infer<typeof report>>;

/** A worker that was not heard of for so long is taken to be gone. */
const GONE_MS = 20_000;
export const REPORT_EVERY_MS = 5_000;

export async function sendReport(redis: Redis, value: WorkerReport): Promise<void> {
  await redis
    .pipeline()
    .set(workerKey(value.worker), JSON.stringify(value), 'PX', GONE_MS)
    .zadd(WORKERS_KEY, Date.now(), value.worker)
    .zremrangebyscore(WORKERS_KEY, 0, Date.now() - 2 * GONE_MS)
    .exec();
}

export async function withdrawReport(redis: Redis, worker: string): Promise<void> {
  await redis.pipeline().del(workerKey(worker)).zrem(WORKERS_KEY, worker).exec();
}

/** Every worker that was heard of lately, whatever it works for. */
export async function readReports(redis: Redis): Promise<WorkerReport[]> {
  const workers = await redis.zrange(WORKERS_KEY, '0', '-1');
  if (workers.length === 0) return [];
  const texts = await redis.mget(workers.map(workerKey));
  return texts.flatMap((text) => parseReport(text) ?? []);
}

/** @returns undefined for none, and for one of a version that says it differently */
export function parseReport(text: string | null): WorkerReport | undefined {
  if (text === null) return undefined;
  try {
    return report.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
