import { setTimeout } from 'node:timers/promises';
import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client';
import type { Commit } from '@filterscope/runs/commit';
import type { ImageRow } from '@filterscope/runs/image-row';

/** What becomes of a chunk job that ended well. */
export type ChunkOutcome = 'committed' | 'already-committed' | 'second' | 'not-needed';

/** A worker's figures, for Prometheus. */
export interface Metrics {
  readonly registry: Registry;
  image(row: ImageRow): void;
  chunk(outcome: ChunkOutcome, commit?: Commit): void;
  stalled(): void;
  retried(disposition: string): void;
}

/** What is looked up when the figures are asked for. */
export interface Gauges {
  readonly busySeconds: () => number;
  readonly threads: number;
  readonly activeJobs: () => number;
  readonly waitingJobs: () => Promise<number>;
}

/** How long a figure is waited for: Redis may be away. */
const LOOK_MS = 1_000;

export function createMetrics({ busySeconds, threads, activeJobs, waitingJobs }: Gauges): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `filterscope_${name}`, help, labelNames, registers });
  const gauge = (name: string, help: string, look: () => number | Promise<number>) =>
    new Gauge({
      name: `filterscope_${name}`,
      help,
      registers,
      async collect() {
        // What cannot be had is not a number, rather than the last one that could, or an answer that never comes.
        const late = setTimeout(LOOK_MS, NaN, { ref: false });
        this.set(await Promise.race([Promise.resolve(look()).catch(() => NaN), late]));
      },
    });

  const images = counter('images_total', 'Images that this worker has dealt with', ['status']);
  const chunks = counter('chunks_total', 'Chunk jobs that ended well, by outcome', ['outcome']);
  const stages = counter('stage_seconds_total', 'Seconds of work, summed over images', ['stage']);
  const stalled = counter('jobs_stalled_total', 'Jobs found whose worker had died or gone silent');
  const retried = counter('jobs_retried_total', 'Jobs that ended with an error, by what became of them', [
    'disposition',
  ]);
  gauge('engine_busy_seconds', 'Seconds that engine units were in use, summed over units', busySeconds);
  gauge(
    'engine_units',
    'Engine units: what computes at the same time, a thread of the processor or a GPU',
    () => threads,
  );
  gauge('jobs_active', 'Jobs in hand', activeJobs);
  gauge('queue_waiting', 'Jobs that wait for a worker, of all runs', waitingJobs);
  return {
    registry,
    image: ({ status }) => images.inc({ status }),
    chunk(outcome, commit) {
      chunks.inc({ outcome });
      for (const [stage, seconds] of Object.entries(commit?.stageSeconds ?? {}))
        stages.inc({ stage }, seconds);
    },
    stalled: () => stalled.inc(),
    retried: (disposition) => retried.inc({ disposition }),
  };
}
