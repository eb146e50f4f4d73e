import { setTimeout } from 'node:timers/promises';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { parseMemory, reasonToWait } from './admission.ts';
import { completionId, isCrops, jobData, jobId, type RunPlace, type UnitJob } from './job.ts';
import { openJobs } from './open-jobs.ts';
import { PREFIX, QUEUE, withoutCommand } from './redis.ts';

/** Jobs added in one go: a bulk that fails half-way is simply added again. */
const BULK = 1000;
const PATIENCE_MS = 2_000;
/** BullMQ's largest priority. */
const MAX_PRIORITY = 2_097_151;
/** Starts after which a job whose error nobody knows is given up. */
const ATTEMPTS = 5;

/** A job that was given up, and why. */
export interface GivenUp {
  /** Null for the run's completion and for its crops. */
  readonly chunk: number | null;
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
  enqueue(place: RunPlace, jobs: readonly UnitJob[], options: EnqueueOptions): Promise<void>;
  /** Lets a worker look whether a run is complete, and complete it. */
  enqueueCompletion(place: RunPlace): Promise<void>;
  /** Marks a job as done. @returns how many jobs of its run are left */
  settle(place: RunPlace, job: UnitJob): Promise<number>;
  /** Changes whenever jobs are added or a completion is asked for. */
  mark(place: RunPlace): Promise<string>;
  /**
   * Lets go of a run that is complete, unless work on it was added meanwhile, as by a retry.
   * @param mark as it was before the commits were looked at: what was asked for since then is not answered yet
   */
  finish(place: RunPlace, mark: string): Promise<void>;
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
const bulkOf = (place: RunPlace, jobs: readonly UnitJob[], first: number) =>
  jobs.map((job, i) => ({
    name: isCrops(job) ? 'crops' : 'chunk',
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
  queue.on('error', (error) => onError(withoutCommand(error)));
  const open = openJobs(redis);

  const ready = () => queue.getJobCountByTypes('wait', 'prioritized');
  const waiting = () => queue.getJobCountByTypes('wait', 'prioritized', 'delayed');

  const admit = async ({ maxBacklog, onWait, signal }: EnqueueOptions) => {
    for (;;) {
      const load = { ...parseMemory(await redis.info('memory')), backlog: await waiting() };
      const reason = reasonToWait(load, maxBacklog);
      if (reason === undefined) return;
      onWait?.(reason);
      await setTimeout(PATIENCE_MS, undefined, { signal }).catch(() => signal?.throwIfAborted());
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

  /** Those of a bulk of jobs that were given up. */
  const failedOf = async (ids: readonly string[]) => {
    const scores = await redis.zmscore(queue.toKey('failed'), ...ids);
    return ids.filter((_, i) => scores[i] !== null);
  };
  /** Takes jobs out of the queue. One that a worker has in hand stays: it finds out by itself. */
  const remove = (ids: readonly string[]) => Promise.all(ids.map((id) => queue.remove(id).catch(() => 0)));
  const removeFailed = async (ids: readonly string[]) => remove(await failedOf(ids));

  /** A duplicate changes nothing: also while the first one is in hand, or was given up. */
  const addCompletion = async ({ output, run }: RunPlace) => {
    const jobId = completionId({ output, run });
    const options = { jobId, attempts: ATTEMPTS, backoff: { type: 'exponential', delay: 1_000 } };
    const kept = { removeOnComplete: true, removeOnFail: false };
    await queue.add('complete', { v: 1, output, run }, { ...options, ...kept });
  };

  const enqueue: RunQueue['enqueue'] = async (place, jobs, options) => {
    await removeFailed([completionId(place)]);
    let last = 0;
    for (const bulk of bulksOf(jobs)) {
      options.signal?.throwIfAborted();
      await admit(options);
      await removeFailed(bulk.map((job) => jobId(place, job)));
      await open.add(place, bulk);
      const first = await nextPriority(last);
      await queue.addBulk(bulkOf(place, bulk, first));
      last = first + bulk.length - 1;
    }
  };

  const lostOf = async (place: RunPlace, jobs: readonly UnitJob[]) => {
    const lookup = redis.pipeline();
    for (const job of jobs) lookup.exists(queue.toKey(jobId(place, job)));
    const there = (await lookup.exec()) ?? [];
    return jobs.filter((_, i) => there[i]?.[1] === 0);
  };

  return {
    enqueue,
    waiting,
    ready,
    settle: open.settle,
    mark: open.mark,
    finish: open.finish,
    open: open.count,

    async enqueueCompletion(place) {
      // Noted first: where the job is one too many and the one in hand saw too little, `reconcile` asks once more.
      await open.note(place);
      await addCompletion(place);
    },

    async forget(place) {
      for (const bulk of bulksOf(await open.jobs(place))) await remove(bulk.map((job) => jobId(place, job)));
      await remove([completionId(place)]);
      await open.forget(place);
    },

    async givenUp(place) {
      const chunks = new Map<string, number | null>([[completionId(place), null]]);
      for (const job of await open.jobs(place)) {
        chunks.set(jobId(place, job), isCrops(job) ? null : job.chunk);
      }
      const givenUp: GivenUp[] = [];
      for (const bulk of bulksOf([...chunks.keys()])) {
        for (const id of await failedOf(bulk)) {
          const reason = await redis.hget(queue.toKey(id), 'failedReason');
          givenUp.push({ chunk: chunks.get(id)!, reason: reason ?? '' });
        }
      }
      return givenUp.toSorted((a, b) => (a.chunk ?? Infinity) - (b.chunk ?? Infinity));
    },

    async reconcile() {
      let added = 0;
      for (const place of await open.runs()) {
        const jobs = await open.jobs(place);
        if (jobs.length === 0) await addCompletion(place);
        for (const bulk of bulksOf(jobs)) {
          const lost = await lostOf(place, bulk);
          if (lost.length > 0) await queue.addBulk(bulkOf(place, lost, await nextPriority(0)));
          added += lost.length;
        }
      }
      return added;
    },

    [Symbol.asyncDispose]: () => queue.close(),
  };
}

function* bulksOf<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let i = 0; i < items.length; i += BULK) yield items.slice(i, i + BULK);
}
