import { createHash } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { parseMemory } from '@filterscope/queue/admission';
import { consume, type Consumer, type ConsumerOptions, type Handlers } from '@filterscope/queue/consumer';
import type { ChunkJob, RunPlace } from '@filterscope/queue/job';
import { connectRedis, PREFIX, QUEUE } from '@filterscope/queue/redis';
import { openRunQueue, type RunQueue } from '@filterscope/queue/run-queue';
import { startRedis, type OwnRedis } from './servers/start-redis.ts';

export const placeOf = (name: string): RunPlace => ({
  output: 's3://bucket/results',
  run: createHash('sha256').update(name).digest('hex'),
});
export const firstPass = (chunk: number): ChunkJob => ({ chunk, revision: 0, codes: null });
export const chunks = (count: number, from = 0): ChunkJob[] =>
  Array.from({ length: count }, (_, i) => firstPass(from + i));
export const retryOf = (chunk: number): ChunkJob => ({ chunk, revision: 1, codes: ['poison'] });

/** How a job ended that did not end well. */
interface JobError {
  readonly id: string;
  readonly disposition: string;
  readonly againMs: number | undefined;
}

/** A queue on a Redis of its own, empty at the beginning of each test. */
export interface QueueScene {
  readonly server: OwnRedis;
  /** Of manner `patient`. */
  readonly redis: Redis;
  readonly queue: RunQueue;
  /** Errors of jobs in this test so far. */
  readonly errors: readonly JobError[];
  /** Starts a consumer with handlers that do nothing where none are given. It is stopped after the test. */
  readonly start: (handlers: Partial<Handlers>, options?: Partial<ConsumerOptions>) => Consumer;
  /** Starts a consumer. @returns the first jobs it begins, in their order */
  readonly taken: (count: number) => Promise<[RunPlace, ChunkJob][]>;
  /** Redis' key of a job. */
  readonly keyOf: (id: string) => string;
  /** Takes a job out as if Redis had lost it. */
  readonly lose: (id: string) => Promise<void>;
  /** Lets delayed jobs begin at once from now on: nobody waits for a minute. */
  readonly hurry: () => void;
  readonly usedBytes: () => Promise<number>;
}

const nothing = () => undefined;

/** Waits for what no event tells. */
export async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await setTimeout(20);
}

const keyOf = (id: string) => `${PREFIX}:${QUEUE}:${id}`;

/** To be called in a `describe`: starts what its tests need, and ends it. */
export function queueScene(): QueueScene {
  let server: OwnRedis;
  let redis: Redis;
  let hasty: Redis;
  let queue: RunQueue;
  let consumers: Consumer[] = [];
  let errors: JobError[] = [];
  let hurried = false;

  beforeAll(async () => {
    server = await startRedis({ appendOnly: false });
    redis = connectRedis(server.url, 'patient', nothing);
    hasty = connectRedis(server.url, 'hasty', nothing);
    await redis.ping();
  });
  afterAll(async () => {
    redis.disconnect();
    hasty.disconnect();
    await server.stop();
  });
  beforeEach(async () => {
    await redis.flushall();
    errors = [];
    hurried = false;
    queue = openRunQueue(redis, nothing);
  });
  afterEach(async () => {
    await Promise.all(consumers.map((consumer) => consumer.stop(0)));
    consumers = [];
    await queue[Symbol.asyncDispose]();
  });

  const promote = async (id: string) => {
    await until(async () => (await redis.zscore(keyOf('delayed'), id)) !== null);
    await redis.zadd(keyOf('delayed'), 0, id);
    await redis.zadd(keyOf('marker'), 0, '1');
  };
  const start: QueueScene['start'] = (handlers, options = {}) => {
    const consumer = consume(
      {
        chunk: () => Promise.resolve(),
        crops: () => Promise.resolve(),
        complete: () => Promise.resolve([]),
        ...handlers,
      },
      {
        redis,
        journalRedis: hasty,
        concurrency: 1,
        lockMs: 30_000,
        events: {
          onJobError(id, _, disposition, againMs) {
            errors.push({ id, disposition, againMs });
            if (hurried) promote(id).catch(nothing);
          },
          onStalled: nothing,
          onReconciled: nothing,
          onError: nothing,
        },
        ...options,
      },
    );
    consumers.push(consumer);
    return consumer;
  };

  return {
    get server() {
      return server;
    },
    get redis() {
      return redis;
    },
    get queue() {
      return queue;
    },
    get errors() {
      return errors;
    },
    start,
    keyOf,
    async taken(count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const begun: [RunPlace, ChunkJob][] = [];
      start({
        chunk(place, job) {
          if (begun.push([place, job]) === count) resolve();
          return Promise.resolve();
        },
      });
      await promise;
      return begun.slice(0, count);
    },
    async lose(id) {
      await redis.del(keyOf(id));
      await redis.zrem(keyOf('prioritized'), id);
    },
    hurry() {
      hurried = true;
    },
    usedBytes: async () => parseMemory(await redis.info('memory')).usedBytes,
  };
}
