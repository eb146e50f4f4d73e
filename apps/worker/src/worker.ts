import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { consume, type Consumer } from '@filterscope/queue/consumer';
import type { RunPlace } from '@filterscope/queue/job';
import { connectRedis, isWrongDatabase, redisError } from '@filterscope/queue/redis';
import { REPORT_EVERY_MS, sendReport, withdrawReport } from '@filterscope/queue/worker-reports';
import { chunkLine } from '@filterscope/runs/chunk-line';
import { CHUNKS_IN_WORK } from '@filterscope/runs/run-chunks';
import { createWorkplace } from '@filterscope/runs/workplace';
import type { Engine } from '@filterscope/vgg16/engine';
import { createBusyMeter } from './busy-meter.ts';
import { createEngineShelf, type OpenEngine } from './engine-shelf.ts';
import { throttleErrors } from './error-throttle.ts';
import { startHealthServer, type HealthOptions } from './health-server.ts';
import { createIdleWatch } from './idle-watch.ts';
import { createHandlers } from './job-handlers.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { createOpenedRuns, type OpenStore } from './opened-runs.ts';
import { createSlidingRate } from './sliding-rate.ts';

export interface WorkerOptions {
  readonly redisUrl: string;
  /** Outputs that it may touch; null for all. */
  readonly allowedOutputs: readonly string[] | null;
  readonly openStore: OpenStore;
  readonly openEngine: OpenEngine;
  /** Images that an engine computes at a time. */
  readonly capacity: Pick<Engine, 'parallel' | 'batch'>;
  readonly lockMs: number;
  /** How long what is in hand may go on after the signal. */
  readonly graceMs: number;
  /** Null for no port. */
  readonly health: HealthOptions | null;
  readonly log: Logger;
  /** Aborted when the worker is to stop. */
  readonly signal: AbortSignal;
}

const ERRORS_EVERY_MS = 10_000;
/** A worker that has got nothing for so long, though work waits, ends itself. */
const STUCK_AFTER_MS = 90_000;
const RATE_WINDOW_MS = 60_000;

/**
 * Carries out chunks until the signal, then drains or hands back.
 * @throws FilterscopeError `worker-stuck` when it gets no work though work waits: whoever started it is to start another; `engine-unavailable` when
 * it has lost what computes; `redis-refused` when Redis has no database of the number given, where the client would go on in database 0.
 */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const { redisUrl, capacity, lockMs, graceMs, log, signal } = options;
  const threads = capacity.parallel;
  const worker = `${hostname()}-${process.pid}-${randomBytes(3).toString('hex')}`;
  /** Aborted with the reason when the worker is to end itself. */
  const failed = new AbortController();
  const say = throttleErrors((error, times) => log.warn({ err: error, times }, 'Redis'), ERRORS_EVERY_MS);
  const onError = (error: Error) => {
    say(error);
    if (isWrongDatabase(error)) failed.abort(redisError(error, redisUrl));
  };
  const redis = connectRedis(redisUrl, 'patient', onError);
  const hasty = connectRedis(redisUrl, 'hasty', onError);
  const meter = createBusyMeter(threads);
  const startedAt = new Date().toISOString();
  /** Images that were computed, jobs begun, the newest engine, and jobs by run. */
  const seen = { images: 0, begun: 0, engine: null as string | null, runs: new Map<string, number>() };

  await using engines = createEngineShelf(async (weights, layers) => {
    const engine = await options.openEngine(weights, layers).catch((error: unknown) => {
      // A card that is lost does not come back in this process: it would only pass jobs on, faster than others do them.
      if (error instanceof FilterscopeError && error.code === 'engine-unavailable') failed.abort(error);
      throw error;
    });
    seen.engine = `${engine.identity.name} ${engine.identity.version}`;
    return meter.watch(engine);
  }, CHUNKS_IN_WORK);
  await using runs = createOpenedRuns(options.openStore);
  // oxlint-disable-next-line prefer-const -- the gauges look at what is made after them
  let consumer: Consumer;
  const metrics: Metrics = createMetrics({
    busySeconds: meter.seconds,
    threads,
    activeJobs: () => consumer.active(),
    waitingJobs: () => consumer.queue.waiting(),
  });
  const handlers = createHandlers({
    runs,
    engines,
    workplace: createWorkplace(capacity),
    allowedOutputs: options.allowedOutputs,
    onImage(row, reused) {
      if (!reused) seen.images += 1;
      metrics.image(row);
    },
    onChunk({ run }, job, outcome, commit) {
      metrics.chunk(outcome, commit);
      log.info({ run, ...job, outcome, ...(commit && chunkLine(commit)) }, 'chunk');
    },
    onCrops({ run }, job, done) {
      const { rows = [], missing = [] } = done ?? {};
      log.info(
        { run, ...job, pictures: rows.length, missing: missing.length, done: done !== undefined },
        'crops',
      );
    },
    onComplete({ run, output }, { ok, failed, skipped }) {
      log.info({ run, output, ok, failed, skipped }, 'run complete');
    },
  });
  const counted = async <Outcome>({ run }: RunPlace, work: Promise<Outcome>): Promise<Outcome> => {
    seen.begun += 1;
    seen.runs.set(run, (seen.runs.get(run) ?? 0) + 1);
    try {
      return await work;
    } finally {
      const left = seen.runs.get(run)! - 1;
      if (left > 0) seen.runs.set(run, left);
      else seen.runs.delete(run);
    }
  };
  consumer = consume(
    {
      chunk: (place, job, context) => counted(place, handlers.chunk(place, job, context)),
      crops: (place, job, context) => counted(place, handlers.crops(place, job, context)),
      complete: (place, signal) => handlers.complete(place, signal),
    },
    {
      redis,
      journalRedis: hasty,
      concurrency: CHUNKS_IN_WORK,
      lockMs,
      events: {
        onJobError(job, error, disposition, againMs) {
          metrics.retried(disposition);
          log[disposition === 'give-up' ? 'error' : 'warn']({ job, err: error, disposition, againMs }, 'job');
        },
        onStalled(job) {
          metrics.stalled();
          log.warn({ job }, 'its worker died or was silent; taken over');
        },
        onReconciled: (jobs) => log.warn({ jobs }, 'jobs that Redis had lost are added again'),
        onError,
      },
    },
  );
  await using server = options.health
    ? await startHealthServer(
        {
          healthy: () => !failed.signal.aborted,
          ready: () => redis.status === 'ready' && !signal.aborted,
          registry: metrics.registry,
        },
        options.health,
      )
    : undefined;
  log.info(
    { worker, threads, health: server?.url, outputs: options.allowedOutputs ?? 'all' },
    'worker ready',
  );

  const imageRate = createSlidingRate(RATE_WINDOW_MS);
  const busyRate = createSlidingRate(RATE_WINDOW_MS);
  const report = async () => {
    await sendReport(hasty, {
      worker,
      host: hostname(),
      pid: process.pid,
      engine: seen.engine,
      threads,
      imagesPerSecond: imageRate.update(seen.images),
      busyShare: Math.min(1, busyRate.update(meter.seconds()) / threads),
      runs: [...seen.runs.keys()],
      startedAt,
      reportedAt: new Date().toISOString(),
    });
  };
  const isStuck = createIdleWatch(STUCK_AFTER_MS);
  const look = async () => {
    const waiting = await consumer.queue.ready();
    if (isStuck({ active: consumer.active(), begun: seen.begun, waiting })) failed.abort(workerStuck());
  };
  const timer = setInterval(() => {
    report().catch(() => undefined); // Redis is away; that is said elsewhere
    look().catch(() => undefined);
  }, REPORT_EVERY_MS);

  await aborted(AbortSignal.any([signal, failed.signal]));
  clearInterval(timer);
  log.info({ active: consumer.active(), graceMs }, 'stopping: nothing new is taken');
  await consumer.stop(failed.signal.aborted ? 0 : graceMs);
  await withdrawReport(hasty, worker).catch(() => undefined);
  redis.disconnect();
  hasty.disconnect();
  log.info({ images: seen.images }, 'stopped');
  failed.signal.throwIfAborted();
}

function workerStuck(): FilterscopeError {
  return new FilterscopeError(
    'worker-stuck',
    `the worker got no work for ${STUCK_AFTER_MS / 1000} s though work waits; it has ended itself, start it again`,
    { class: 'transient' },
  );
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
