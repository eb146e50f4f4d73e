import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { canonicalWeights } from '@filterscope/vgg16/weights-file';
import { logged } from '../support/command-scene.ts';
import { distributedRun } from '../support/distributed-run.ts';
import { plannedRun } from '../support/planned-run.ts';
import { startFilterscope } from '../support/run-filterscope.ts';
import type { S3Address } from '../support/servers/addresses.ts';
import { startRedis } from '../support/servers/start-redis.ts';
import { figuresUrl, readFigures } from '../support/worker-figures.ts';
import type { InProcessRun } from './in-process-run.ts';

/** Images a second with the real engine on two cores, a value a round. */
export interface AnalyzeComparison {
  readonly analyze: number[];
  /** Two workers with one thread each. */
  readonly workers: number[];
  /** Share of the workers' engines' time in use. */
  readonly busyShare: number[];
}

export interface ComparisonOptions {
  readonly s3: S3Address;
  /** With enough images for all rounds. */
  readonly dataset: string;
  readonly rounds: number;
  readonly windowSeconds: number;
  readonly say: (line: string) => void;
}

const WORKERS = 2;
const SETTLE_MS = 2_000;
const WARM_IMAGES = 24;
/** Longer than a worker is held while the other way is measured. */
const LOCK_SECONDS = '300';

/** One way to carry out a run, that goes on over all rounds and is held while it is not its turn. */
interface Way {
  readonly processes: readonly ChildProcess[];
  /** Images done so far by each process, and its engine's busy seconds where they are known. */
  readonly look: () => Promise<{ images: number; busySeconds: number }[]>;
}

/** Measures both ways in turn, each in full swing, the other one's processes held (SIGSTOP). */
export async function compareWithAnalyze(options: ComparisonOptions): Promise<AnalyzeComparison> {
  const { rounds, windowSeconds, say } = options;
  await using redis = await startRedis();
  await using stack = new AsyncDisposableStack();
  const planned = await Promise.all([planReal(options), planReal(options)]);
  const analyze = await startAnalyze(options, planned[0], stack);
  hold(analyze);
  const workers = await startWorkers(options, planned[1], redis.url, stack);
  hold(workers);

  const result: AnalyzeComparison = { analyze: [], workers: [], busyShare: [] };
  const measure = async (way: Way) => {
    signalAll(way, 'SIGCONT');
    await setTimeout(SETTLE_MS);
    const [before, start] = [await way.look(), performance.now()];
    await setTimeout(windowSeconds * 1000);
    const [after, end] = [await way.look(), performance.now()];
    hold(way);
    const grown = (of: 'images' | 'busySeconds') =>
      after.reduce((sum, now, i) => sum + now[of] - before[i][of], 0) / ((end - start) / 1000);
    return { perSecond: grown('images'), busy: grown('busySeconds') / WORKERS };
  };
  for (let round = 0; round < rounds; round++) {
    // In turn also who comes first, so that what changes on the machine favours neither.
    const ways = round % 2 === 0 ? [analyze, workers] : [workers, analyze];
    const found = new Map<Way, Awaited<ReturnType<typeof measure>>>();
    for (const way of ways) found.set(way, await measure(way));
    const [alone, together] = [found.get(analyze)!, found.get(workers)!];
    result.analyze.push(alone.perSecond);
    result.workers.push(together.perSecond);
    result.busyShare.push(together.busy);
    const rates = [alone, together].map(({ perSecond }) => perSecond.toFixed(2));
    say(`round ${round + 1}: analyze ${rates[0]}, two workers ${rates[1]} images/s`);
  }
  return result;
}

function planReal({ s3, dataset }: ComparisonOptions) {
  const content = syntheticWeights();
  return plannedRun(dataset, `s3://${s3.bucket}/out-${randomUUID()}`, {
    layers: LAYERS.map(({ layer }) => layer),
    grids: 'none',
    gridStyle: null,
    gridFormat: null,
    chunkSize: 32,
    weights: { content, ...canonicalWeights(content) },
    access: { endpoint: s3.endpoint },
  });
}
type Planned = Awaited<ReturnType<typeof planReal>>;

async function startAnalyze(
  { s3 }: ComparisonOptions,
  { output, document }: Planned,
  stack: AsyncDisposableStack,
): Promise<Way> {
  const settings: InProcessRun = {
    output: output.url,
    run: document.run,
    endpoint: s3.endpoint,
    threads: WORKERS,
  };
  const script = fileURLToPath(new URL('in-process-run.ts', import.meta.url));
  // As apps/cli/bin/filterscope.mjs starts the command.
  const args = ['--max-semi-space-size=4', '--heap-growing-percent=20', script, JSON.stringify(settings)];
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '1048576' },
  });
  endWith(stack, child);
  let images = 0;
  child.stdout.on('data', (bytes: Buffer) => (images += bytes.length / 2));
  const way = { processes: [child], look: () => Promise.resolve([{ images, busySeconds: 0 }]) };
  await warm(way);
  return way;
}

async function startWorkers(
  { s3 }: ComparisonOptions,
  { output, document }: Planned,
  redisUrl: string,
  stack: AsyncDisposableStack,
): Promise<Way> {
  const environment = {
    REDIS_URL: redisUrl,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    FILTERSCOPE_LOCK_SECONDS: LOCK_SECONDS,
  };
  const started = Array.from({ length: WORKERS }, () =>
    startFilterscope(['worker', '--threads', '1'], { environment }),
  );
  for (const { child } of started) endWith(stack, child);
  const distributed = stack.use(distributedRun(document, output, redisUrl, () => []));
  await distributed.enqueueOpen();
  const urls = await Promise.all(started.map((running) => figuresUrl({ log: () => logged(running) })));
  const way: Way = {
    processes: started.map(({ child }) => child),
    look: async () => {
      const figures = await Promise.all(urls.map(readFigures));
      return figures.map((figure) => ({
        images: figure('images_total'),
        busySeconds: figure('engine_busy_seconds'),
      }));
    },
  };
  await warm(way);
  return way;
}

/** Waits until every network is built and at work. */
async function warm(way: Way): Promise<void> {
  while ((await way.look()).some(({ images }) => images < WARM_IMAGES)) await setTimeout(200);
}

const signalAll = ({ processes }: Way, signal: NodeJS.Signals) => {
  for (const child of processes) child.kill(signal);
};
const hold = (way: Way) => signalAll(way, 'SIGSTOP');

function endWith(stack: AsyncDisposableStack, child: ChildProcess): void {
  const exit = once(child, 'exit');
  stack.defer(async () => {
    child.kill('SIGKILL');
    await exit;
  });
}
