import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { LAYERS } from '@filterscope/vgg16/layers';
import { distributedRun, startStubWorker } from '../support/distributed-run.ts';
import { plannedRun } from '../support/planned-run.ts';
import type { S3Address } from '../support/servers/addresses.ts';
import { startRedis } from '../support/servers/start-redis.ts';
import { figuresUrl, readFigures } from '../support/worker-figures.ts';
import { machineSeconds, processTimes } from './process-times.ts';

/** What so many workers came to, with an engine of fixed latency. */
export interface WorkerScale {
  readonly workers: number;
  readonly imagesPerSecond: number;
  /** Share of the engines' time in use. */
  readonly busyShare: number;
  /** Cores in use on average, by what used them; `machine` is all of it, also what others did. */
  readonly cores: Readonly<Record<'workers' | 'S3' | 'Redis' | 'machine', number>>;
}

export interface ScaleOptions {
  readonly s3: S3Address;
  readonly dataset: string;
  /** What an image takes in a worker's engine, one at a time. */
  readonly imageMs: number;
  readonly chunkSize: number;
  readonly windowSeconds: number;
}

/** Images that a worker must have to be in full swing all the while. */
export const imagesAWorker = ({ imageMs, chunkSize, windowSeconds }: Omit<ScaleOptions, 's3' | 'dataset'>) =>
  Math.ceil((1.5 * windowSeconds * 1000) / imageMs) + 6 * chunkSize;

/**
 * Measures workers in full swing: from when each has done its first chunk, for `windowSeconds`.
 * @throws Error when the run was over before: there were too few images
 */
export async function scaleWorkers(workers: number, options: ScaleOptions): Promise<WorkerScale> {
  const { s3, dataset, imageMs, chunkSize, windowSeconds } = options;
  const run = await plannedRun(dataset, `s3://${s3.bucket}/out-${randomUUID()}`, {
    layers: LAYERS.map(({ layer }) => layer),
    grids: 'none',
    gridStyle: null,
    gridFormat: null,
    chunkSize,
    limit: workers * imagesAWorker(options),
    access: { endpoint: s3.endpoint },
  });
  await using redis = await startRedis();
  const settings = { redisUrl: redis.url, endpoint: s3.endpoint, lockMs: 30_000 };
  const started = Array.from({ length: workers }, () =>
    startStubWorker({ ...settings, parallel: 1, imageMs, health: true }),
  );
  await using distributed = distributedRun(run.document, run.output, redis.url, () => started);
  try {
    const urls = await Promise.all(started.map(figuresUrl));
    const look = async () => ({
      at: performance.now(),
      figures: await Promise.all(urls.map(readFigures)),
      times: await processTimes(kindOf),
      machine: await machineSeconds(),
    });
    await distributed.enqueueOpen();
    await distributed.until('the first chunk of each worker', async () => {
      await setTimeout(400);
      return (await look()).figures.every((figure) => figure('images_total') > chunkSize);
    });
    const before = await look();
    await setTimeout(windowSeconds * 1000);
    const after = await look();
    if ((await distributed.queue.waiting()) === 0) throw new Error('too few images for the window');

    const seconds = (after.at - before.at) / 1000;
    const grown = (name: string) =>
      after.figures.reduce((sum, figures, i) => sum + figures(name) - before.figures[i](name), 0);
    const cores = (kind: string) => ((after.times.get(kind) ?? 0) - (before.times.get(kind) ?? 0)) / seconds;
    return {
      workers,
      imagesPerSecond: grown('images_total') / seconds,
      busyShare: grown('engine_busy_seconds') / seconds / workers,
      cores: {
        workers: cores('workers'),
        S3: cores('S3'),
        Redis: cores('Redis'),
        machine: (after.machine - before.machine) / seconds,
      },
    };
  } finally {
    await Promise.all(started.map((worker) => worker.kill()));
    const left = await Array.fromAsync(run.output.list('')); // the store of the tests is in memory
    await run.output.delete(left.map(({ key }) => key));
  }
}

function kindOf(command: string): string {
  if (command.includes('stub-worker')) return 'workers';
  return command.includes('redis-server') ? 'Redis' : 'S3';
}
