import { setTimeout as delay } from 'node:timers/promises';
import { DelayedError, UnrecoverableError, WaitingError, Worker, type Job as QueueJob } from 'bullmq';
import type { Redis } from 'ioredis';
import type { ChunkJournal } from '@filterscope/runs/journal';
import { delayMs, dispositionOf } from './disposition.ts';
import { parseJob, type ChunkJob, type CropsJob, type Job, type RunPlace, type UnitJob } from './job.ts';
import { journalKey, PREFIX, QUEUE, RECONCILER_KEY, withoutCommand } from './redis.ts';
import { redisJournal } from './redis-journal.ts';
import { openRunQueue, type RunQueue } from './run-queue.ts';

/** What a consumer does with its jobs. */
export interface Handlers {
  /**
   * Carries out one pass over a chunk, or finds that it is done.
   * @param start counts the job's starts, from 1
   * @returns `may-complete` when the run needs no further chunk, however many of its jobs are left
   */
  chunk(place: RunPlace, job: ChunkJob, context: ChunkContext): Promise<'may-complete' | void>;
  /** Makes a part of a complete run's pictures for crops, or finds that it is made, or of no use any more. */
  crops(place: RunPlace, job: CropsJob, context: ChunkContext): Promise<void>;
  /**
   * Completes a run.
   * @returns the first passes that lack their commit; of a complete run the parts of its crops that are not made; none when nothing is left to do
   */
  complete(place: RunPlace, signal: AbortSignal): Promise<readonly UnitJob[]>;
}

export interface ChunkContext {
  readonly start: number;
  readonly journal: ChunkJournal;
  readonly signal: AbortSignal;
}

/** What a consumer tells of itself. */
export interface ConsumerEvents {
  /** A job ended with an error. @param again in milliseconds, for one that is tried again later */
  readonly onJobError: (id: string, error: unknown, disposition: string, againMs?: number) => void;
  /** A job was found whose worker had died, or had not been heard of for a lock's time. */
  readonly onStalled: (id: string) => void;
  readonly onReconciled: (jobs: number) => void;
  readonly onError: (error: Error) => void;
}

export interface ConsumerOptions {
  /** Of manner `patient`; stays the caller's. */
  readonly redis: Redis;
  /** Of manner `hasty`; stays the caller's. */
  readonly journalRedis: Redis;
  /** Jobs in hand at a time. */
  readonly concurrency: number;
  /** A job whose worker was not heard of for so long goes to another. */
  readonly lockMs: number;
  readonly events: ConsumerEvents;
}

export interface Consumer {
  /** Jobs in hand. */
  readonly active: () => number;
  readonly queue: RunQueue;
  /**
   * Takes nothing new; what is in hand is finished, or handed back after `graceMs`.
   * @returns once nothing is in hand any more; with Redis away, some seconds after the grace: locks that cannot be handed back run out
   */
  stop(graceMs: number): Promise<void>;
}

/** A chunk that keeps killing processes outside of any image is given up after so many deaths. */
const MAX_DEATHS = 50;
/** How long a worker that could not ask Redis for a job waits before it asks again. */
const RETRY_MS = 2_000;
const UNLIMITED = Number.MAX_SAFE_INTEGER;
/** How long Redis may take, beyond the grace, to be told that work is handed back. */
const HAND_BACK_MS = 5_000;

/** Takes jobs from the queue until it is stopped. */
export function consume(handlers: Handlers, options: ConsumerOptions): Consumer {
  const { redis, journalRedis, concurrency, lockMs, events } = options;
  const queue = openRunQueue(redis, events.onError);
  const handBack = new AbortController();
  let active = 0;

  const unit = async (parsed: Exclude<Job, { kind: 'complete' }>, id: string, start: number) => {
    const { place, job } = parsed;
    const journal = redisJournal(journalRedis, id);
    const context = { start, journal, signal: handBack.signal };
    const outcome =
      parsed.kind === 'crops'
        ? await handlers.crops(place, parsed.job, context)
        : await handlers.chunk(place, parsed.job, context);
    await journalRedis.del(journalKey(id)).catch(() => 0);
    const left = await queue.settle(place, job);
    if (left === 0 || outcome === 'may-complete') await queue.enqueueCompletion(place);
  };
  const complete = async (place: RunPlace) => {
    const mark = await queue.mark(place);
    const missing = await handlers.complete(place, handBack.signal);
    const { signal } = handBack;
    if (missing.length > 0) await queue.enqueue(place, missing, { maxBacklog: UNLIMITED, signal });
    else await queue.finish(place, mark);
  };
  const carryOut = async (job: QueueJob) => {
    const parsed = parseJob(job.name, job.data);
    try {
      if (parsed.kind === 'complete') await complete(parsed.place);
      else await unit(parsed, job.id!, job.attemptsStarted);
    } catch (error) {
      if (dispositionOf(error, handBack.signal.aborted) !== 'drop') throw error;
      events.onJobError(job.id!, error, 'drop');
      await queue.forget(parsed.place);
    }
  };
  const processor = async (job: QueueJob, token?: string): Promise<void> => {
    active += 1;
    try {
      await carryOut(job);
    } catch (error) {
      throw await dispose(job, error, token);
    } finally {
      active -= 1;
    }
  };
  /** @returns the error by which BullMQ is told what to do. */
  const dispose = async (job: QueueJob, error: unknown, token?: string): Promise<unknown> => {
    const disposition = dispositionOf(error, handBack.signal.aborted);
    const again = disposition === 'later' ? delayMs(job.attemptsStarted) : undefined;
    events.onJobError(job.id!, error, disposition, again);
    if (disposition === 'hand-back') {
      await job.moveToWait(token);
      return new WaitingError();
    }
    if (again !== undefined) {
      await job.moveToDelayed(Date.now() + again, token);
      return new DelayedError();
    }
    const reason = error instanceof Error ? error.message : String(error);
    return disposition === 'give-up' ? new UnrecoverableError(reason) : error;
  };

  const worker = new Worker(QUEUE, processor, {
    connection: redis,
    prefix: PREFIX,
    concurrency,
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
    maxStalledCount: MAX_DEATHS,
    runRetryDelay: RETRY_MS,
  });
  worker.on('error', (error) => events.onError(withoutCommand(error)));
  worker.on('stalled', events.onStalled);

  const reconcile = async () => {
    // One of all workers, each lock's time.
    const mine = await redis.set(RECONCILER_KEY, worker.id, 'PX', lockMs, 'NX');
    if (mine === 'OK') {
      const added = await queue.reconcile();
      if (added > 0) events.onReconciled(added);
    }
  };
  let reconciling: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    reconciling = reconciling.then(reconcile).catch(events.onError);
  }, lockMs);

  return {
    active: () => active,
    queue,
    async stop(graceMs) {
      clearInterval(timer);
      const over = new AbortController();
      const grace = setTimeout(() => handBack.abort(new Error('handed back')), graceMs);
      const closed = worker.close().then(() => queue[Symbol.asyncDispose]());
      const within = (ms: number) =>
        Promise.race([closed.then(() => true), delay(ms, false, { signal: over.signal })]);
      // Longer than this only with Redis away: it cannot be told.
      if (!(await within(HAND_BACK_MS)) && active > 0) await within(graceMs);
      over.abort();
      clearTimeout(grace);
    },
  };
}
