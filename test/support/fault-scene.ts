import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { RunSettings } from '@filterscope/runs/run-document';
import { distributedRun, startStubWorker, type DistributedRun, type StubWorker } from './distributed-run.ts';
import { recordFault } from './fault-table.ts';
import { plannedRun, type PlannedRun } from './planned-run.ts';
import { startS3FaultProxy, type S3FaultProxy } from './s3-fault-proxy.ts';
import type { S3Address } from './servers/addresses.ts';
import { startRedis, type OwnRedis, type RedisOptions } from './servers/start-redis.ts';
import { commitsOf, readStoredRun, type StoredRun } from './stored-run.ts';
import type { StubWorkerSettings } from './stub-worker.ts';

export const LOCK_MS = 3_000;
const CHUNK_SIZE = 4;

/** A run on real servers, for a fault to happen to. */
export interface Scene {
  readonly run: PlannedRun;
  readonly distributed: DistributedRun;
  readonly redis: OwnRedis;
  /** What stands between the workers and S3; the test itself goes past it. */
  readonly s3: S3FaultProxy;
  readonly start: (settings?: Partial<StubWorkerSettings>) => StubWorker;
}

export interface SceneOptions {
  readonly s3: S3Address;
  readonly dataset: string;
  readonly undisturbed: () => StoredRun;
  readonly redis?: RedisOptions;
  readonly settings?: Partial<RunSettings>;
}

/** A scene without any fault, to see what is to come out. */
export async function withScene<Result>(
  { s3, dataset, redis: redisOptions, settings }: Omit<SceneOptions, 'undisturbed'>,
  play: (scene: Scene) => Promise<Result>,
): Promise<Result> {
  const output = `s3://${s3.bucket}/out-${randomUUID()}`;
  const access = { endpoint: s3.endpoint };
  const run = await plannedRun(dataset, output, { ...settings, chunkSize: CHUNK_SIZE, access });
  await using redis = await startRedis(redisOptions);
  await using proxy = await startS3FaultProxy(s3.endpoint);
  const workers: StubWorker[] = [];
  await using distributed = distributedRun(run.document, run.output, redis.url, () => workers);
  const start: Scene['start'] = (settings) => {
    const worker = startStubWorker({
      redisUrl: redis.url,
      endpoint: proxy.endpoint,
      lockMs: LOCK_MS,
      ...settings,
    });
    workers.push(worker);
    return worker;
  };
  try {
    await distributed.enqueueOpen();
    return await play({ run, distributed, redis, s3: proxy, start });
  } finally {
    await Promise.all(workers.map((worker) => worker.kill()));
  }
}

/**
 * Lets a fault happen to a run and expects that nothing is lost: it completes, every image has one row, every chunk one commit,
 * and tables, sums and grids are those of an undisturbed run.
 */
export async function expectUnharmed(
  fault: string,
  options: SceneOptions,
  inflict: (scene: Scene) => Promise<void>,
): Promise<void> {
  await withScene(options, async (scene) => {
    const { run, distributed, redis } = scene;
    const started = performance.now();
    await inflict(scene);
    const index = await distributed.complete();
    const seconds = (performance.now() - started) / 1000;
    const tables = await readStoredRun(run.output, run.document.run);
    const commits = await commitsOf(run.output, run.document.run);
    const first = commits.filter(({ revision }) => revision === 0);
    const undisturbed = options.undisturbed();
    const outcome = {
      fault,
      submitted: run.document.manifest.rows,
      accounted: new Set(tables.images.map(({ row }) => row)).size,
      identical: JSON.stringify(tables) === JSON.stringify(undisturbed),
      chunks: first.length,
      executions: await attemptsOf(scene),
      seconds,
    };
    recordFault(outcome);
    expect(tables).toEqual(undisturbed);
    expect(index.ok + index.failed + index.skipped).toBe(outcome.submitted);
    expect(tables.images).toHaveLength(outcome.submitted);
    expect(first.map(({ chunk }) => chunk)).toEqual(first.map((_, i) => i));
    expect(first.reduce((rows, commit) => rows + commit.rows, 0)).toBe(outcome.submitted);
    expect(redis.port).toBeGreaterThan(0);
  });
}

/** How often workers began a chunk, by what they and the store say. */
async function attemptsOf({ run }: Scene): Promise<number> {
  const folders = new Set<string>();
  for await (const { key } of run.output.list(`runs/${run.document.run}/chunks/`)) {
    folders.add(key.split('/').slice(0, 5).join('/'));
  }
  return folders.size;
}
