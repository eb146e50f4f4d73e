import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { parseMemory, reasonToWait } from './admission.ts';
import {
  completionId,
  jobData,
  jobId,
  nameOf,
  parseName,
  runKey,
  type ChunkJob,
  type RunPlace,
} from './job.ts';
import { openKey, PREFIX, QUEUE, RUNS_KEY } from './redis.ts';

/** Jobs added in one go: a bulk that fails half-way is simply added again. */
const BULK = 1000;
const PATIENCE_MS = 2_000;
/** BullMQ's largest priority. */
const MAX_PRIORITY = 2_097_151;
/** Starts after which a job whose error nobody knows is given up. */
const ATTEMPTS = 5;
/** Chunks given up that are looked at, over all runs. */
const FAILED_SHOWN = 1000;

/** Forgets a run that has no open job, in one step: a job may be added at any moment. */
const FINISH = `if redis.call('scard', KEYS[1]) == 0 then return redis.call('hdel', KEYS[2], ARGV[1]) end return 0`;

/** A chunk that was given up, and why. */
export interface GivenUp {
  readonly chunk: number;
  readonly reason: string;
}

export interface EnqueueOptions {
  /** Jobs that may wait, of all runs together. */
  readonly maxBacklog: number;
  /** Told, now and then, why nothing is added at the moment. */
  readonly onWait?: (reason: string) => void;
  readonly signal?: AbortSignal;
}

/** The queue as producers and readers see it. What it knows can be rebuilt from the object store at any time. */
export interface RunQueue extends AsyncDisposable {
  /**
   * Adds jobs of a run, in their order. Adding a job that is there already changes nothing; one that was given up is tried
   * again. Waits while Redis is short of memory or the backlog too long.
   */
  enqueue(place: RunPlace, jobs: readonly ChunkJob[], options: EnqueueOptions): Promise<void>;
  /** Lets a worker look whether a run is complete, and complete it. */
  enqueueCompletion(place: RunPlace): Promise<void>;
  /** Marks a job as done. @returns how many jobs of its run are left */
  settle(place: RunPlace, job: ChunkJob): Promise<number>;
  /** Lets go of a run that is complete, unless work on it was added meanwhile, as by a retry. */
  finish(place: RunPlace): Promise<void>;
  /** Forgets a run and takes its waiting jobs out of the queue. */
  forget(place: RunPlace): Promise<void>;
  /** How many jobs of a run are not done. */
  open(place: RunPlace): Promise<number>;
  givenUp(place: RunPlace): Promise<GivenUp[]>;
  /** Jobs that wait for a worker or for their time, of all runs together. */
  waiting(): Promise<number>;
  /** Those of them that a worker could take now. */
  ready(): Promise<number>;
  /**
   * Adds again what got lost in Redis: jobs that are neither done nor there, completions that nobody was asked for.
   * @returns how many jobs were added
   */
  reconcile(): Promise<number>;
}

/** @param first priority of the first job; the others follow */
const bulkOf = (place: RunPlace, jobs: readonly ChunkJob[], first: number) =>
  jobs.map((job, i) => ({
    name: 'chunk',
    data: jobData(place, job),
    opts: {
      jobId: jobId(place, job),
      priority: Math.min(first + i, MAX_PRIORITY),
      attempts: ATTEMPTS,
      backoff: { type: 'exponential', delay: 1_000 },
      removeOnComplete: true,
      removeOnFail: false,
    },
  }));

/** @param redis of manner `patient` or `prompt`; stays the caller's */
export function openRunQueue(redis: Redis, onError: (error: Error) => void): RunQueue {
  const queue = new Queue(QUEUE, { connection: redis, prefix: PREFIX });
  queue.on('error', onError);

  const ready = () => queue.getJobCountByTypes('wait', 'prioritized');
  const waiting = () => queue.getJobCountByTypes('wait', 'prioritized', 'delayed');

  const admit = async ({ maxBacklog, onWait, signal }: EnqueueOptions) => {
    for (;;) {
      const load = { ...parseMemory(await redis.info('memory')), backlog: await waiting() };
      const reason = reasonToWait(load, maxBacklog);
      if (reason === undefined) return;
      onWait?.(reason);
      await setTimeout(PATIENCE_MS, undefined, { signal });
    }
  };

  /**
   * Start-time fair queueing: a run's next job comes after its last one, and never before what is waited for now. Runs side
   * by side take turns, however long the one that was there first.
   */
  const nextPriority = async (last: number) => {
    const [head] = await queue.getPrioritized(0, 0);
    return Math.max(head?.priority ?? 1, last + 1);
  };

  const failedOf = async (place: RunPlace) => {
    const prefix = `${runKey(place)}-`;
    const failed = await queue.getFailed(0, FAILED_SHOWN);
    return failed.filter((job) => job?.id?.startsWith(prefix));
  };

  const enqueueCompletion = async ({ output, run }: RunPlace) => {
    const jobId = completionId({ output, run });
    const options = { jobId, attempts: ATTEMPTS, backoff: { type: 'exponential', delay: 1_000 } };
    await queue.add(
      'complete',
      { v: 1, output, run },
      { ...options, removeOnComplete: true, removeOnFail: true },
    );
  };

  const enqueue: RunQueue['enqueue'] = async (place, jobs, options) => {
    const { output, run } = place;
    for (const job of await failedOf(place)) await job.remove();
    let last = 0;
    for (let i = 0; i < jobs.length; i += BULK) {
      options.signal?.throwIfAborted();
      await admit(options);
      const bulk = jobs.slice(i, i + BULK);
      await redis.sadd(openKey(runKey(place)), ...bulk.map(nameOf));
      await redis.hset(RUNS_KEY, runKey(place), JSON.stringify({ output, run }));
      const first = await nextPriority(last);
      await queue.addBulk(bulkOf(place, bulk, first));
      last = first + bulk.length - 1;
    }
  };

  return {
    enqueue,
    enqueueCompletion,
    waiting,
    ready,

    async settle(place, job) {
      const key = openKey(runKey(place));
      await redis.srem(key, nameOf(job));
      return redis.scard(key);
    },

    async finish(place) {
      const key = runKey(place);
      await redis.eval(FINISH, 2, openKey(key), RUNS_KEY, key);
    },

    async forget(place) {
      const key = runKey(place);
      const names = await redis.smembers(openKey(key));
      for (let i = 0; i < names.length; i += BULK) {
        const ids = names.slice(i, i + BULK).map((name) => jobId(place, parseName(name)));
        // One that a worker has in hand cannot be removed; it finds out by itself.
        await Promise.all(ids.map((id) => queue.remove(id).catch(() => 0)));
      }
      await redis.pipeline().del(openKey(key)).hdel(RUNS_KEY, key).exec();
    },

    open: (place) => redis.scard(openKey(runKey(place))),

    async givenUp(place) {
      const jobs = await failedOf(place);
      return jobs.map(({ data, failedReason }) => ({ chunk: Number(data.chunk), reason: failedReason }));
    },

    async reconcile() {
      let added = 0;
      for (const [key, text] of Object.entries(await redis.hgetall(RUNS_KEY))) {
        const place = JSON.parse(text) as RunPlace;
        const names = await redis.smembers(openKey(key));
        if (names.length === 0) await enqueueCompletion(place);
        for (let i = 0; i < names.length; i += BULK) {
          const jobs = names.slice(i, i + BULK).map(parseName);
          const lookup = redis.pipeline();
          for (const job of jobs) lookup.exists(queue.toKey(jobId(place, job)));
          const there = (await lookup.exec()) ?? [];
          const lost = jobs.filter((_, i) => there[i]?.[1] === 0);
          if (lost.length > 0) await queue.addBulk(bulkOf(place, lost, await nextPriority(0)));
          added += lost.length;
        }
      }
      return added;
    },

    [Symbol.asyncDispose]: () => queue.close(),
  };
}
