import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { RunSettings } from '@filterscope/runs/run-document';
import { distributedRun, startStubWorker, type DistributedRun, type StubWorker } from './distributed-run.ts';
import { recordFault, type FaultOutcome } from './fault-table.ts';
import { plannedRun, type PlannedRun } from './planned-run.ts';
import { startS3FaultProxy, type S3FaultProxy } from './s3-fault-proxy.ts';
import type { S3Address } from './servers/addresses.ts';
import { startRedis, type OwnRedis, type RedisOptions } from './servers/start-redis.ts';
import { commitsOf, readStoredRun, uncommittedObjects, type StoredRun } from './stored-run.ts';
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

type Fault = Pick<FaultOutcome, 'fault' | 'injected'>;
type Inflict = (scene: Scene) => Promise<void>;

/**
 * Lets a fault happen to a run and expects that nothing is lost: it completes, every image has one row, every chunk one commit,
 * and tables, sums and grids are those of an undisturbed run.
 */
export async function expectUnharmed(fault: Fault, options: SceneOptions, inflict: Inflict): Promise<void> {
  await withFault(fault, options, inflict, null, (tables) => tables);
}

/** The same, but one image ends as failed, with this code: all others have the rows and readings of an undisturbed run. */
export async function expectOneFailed(
  fault: Fault,
  options: SceneOptions,
  { image, code }: { image: string; code: string },
  inflict: Inflict,
): Promise<void> {
  const others = ({ images, readings }: StoredRun) => {
    const row = images.find((found) => found['image'] === image)?.['row'];
    const isOther = (found: Record<string, unknown>) => found['row'] !== row;
    return { images: images.filter(isOther), readings: readings.filter(isOther) };
  };
  const { images } = await withFault(fault, options, inflict, `${image}: ${code}`, others);
  expect(images.find((found) => found['image'] === image)).toMatchObject({ status: 'failed', code });
}

async function withFault(
  fault: Fault,
  options: SceneOptions,
  inflict: Inflict,
  exception: string | null,
  compared: (tables: StoredRun) => unknown,
): Promise<StoredRun> {
  return withScene(options, async (scene) => {
    const { document, output } = scene.run;
    const started = performance.now();
    await inflict(scene);
    const index = await scene.distributed.complete();
    const seconds = (performance.now() - started) / 1000;
    const tables = await readStoredRun(output, document.run);
    const [actual, expected] = [compared(tables), compared(options.undisturbed())];
    const submitted = document.manifest.rows;
    recordFault({
      ...fault,
      submitted,
      accounted: new Set(tables.images.map(({ row }) => row)).size,
      identical: isDeepStrictEqual(actual, expected),
      exception,
      remains: await remainsOf(scene.run),
      seconds,
    });
    expect(actual).toEqual(expected);
    expect(index.ok + index.failed + index.skipped).toBe(submitted);
    expect(tables.images).toHaveLength(submitted);
    const first = (await commitsOf(output, document.run)).filter(({ revision }) => revision === 0);
    expect(first.map(({ chunk }) => chunk)).toEqual(first.map((_, i) => i));
    expect(first.reduce((rows, commit) => rows + commit.rows, 0)).toBe(submitted);
    return tables;
  });
}

/** How many attempts left objects that no commit names, for `gc` to find. */
async function remainsOf({ output, document }: PlannedRun): Promise<number> {
  const keys = await uncommittedObjects(output, document.run);
  return new Set(keys.map((key) => key.split('/').slice(0, 5).join('/'))).size;
}
