import { createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { parseMemory } from '@filterscope/queue/admission';
import { connectRedis } from '@filterscope/queue/redis';
import { startFilterscope, type Finished } from '../support/run-filterscope.ts';
import { startRedis } from '../support/servers/start-redis.ts';
import { keyOf, startListingServer } from './listing-server.ts';

/** What it took to list, plan and enqueue a dataset. */
export interface PlanningCost {
  readonly seconds: number;
  /** The most memory that the producer had resident. */
  readonly producerBytes: number;
  readonly redisBytesAnImage: number;
  /** Answers of S3's listing. */
  readonly pages: number;
  /** Of `submit --json`. */
  readonly finished: Finished;
  /** `run.json`; null when there is none. */
  readonly document: unknown;
}

/** A bucket of images, each with its labels, with a Redis of its own and the output in a folder. */
export interface PlanningScene extends AsyncDisposable {
  readonly output: string;
  /** From now on the bucket has so many; those that are new have no labels. */
  readonly grow: (images: number) => void;
  /** `submit`. */
  readonly plan: () => Promise<PlanningCost>;
}

export async function planImages(images: number): Promise<PlanningCost> {
  await using scene = await openPlanningScene(images);
  return await scene.plan();
}

/** Linux only. */
export async function openPlanningScene(images: number): Promise<PlanningScene> {
  await using stack = new AsyncDisposableStack();
  const bucket = stack.use(await startListingServer(images));
  const redis = stack.use(await startRedis());
  const scratch = await mkdtemp(join(tmpdir(), 'filterscope-plan-'));
  stack.defer(() => rm(scratch, { recursive: true }));
  const [output, labels] = [join(scratch, 'out'), join(scratch, 'labels.csv')];
  await pipeline(Readable.from(labelLines(images)), createWriteStream(labels));
  const access = ['--dataset-endpoint', bucket.endpoint, '--output', output];
  const settings = ['--weights', 'synthetic', '--grids', 'none', '--labels', labels, '--json'];
  const open = stack.move();
  return {
    output,
    grow: bucket.grow,
    async plan() {
      const before = await redisBytes(redis.url);
      const begun = performance.now();
      const running = startFilterscope(['submit', 's3://million', ...access, ...settings], {
        environment: { REDIS_URL: redis.url, AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
      });
      const peak = peakMemory(running.child.pid!);
      const finished = await running.finished;
      const seconds = (performance.now() - begun) / 1000;
      const redisBytesAnImage = ((await redisBytes(redis.url)) - before) / images;
      const document = await readDocument(output, finished.stdout);
      const producerBytes = await peak;
      return { seconds, producerBytes, redisBytesAnImage, pages: bucket.pages(), finished, document };
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** A line for each image, in no useful order, of one of a thousand classes; a second one for every tenth. */
function* labelLines(images: number): Generator<string> {
  yield 'image,class\n';
  for (let i = 0; i < images; i++) {
    const index = (i * 7_919) % images;
    yield `${keyOf(index)},class-${index % 1000}\n`;
    if (index % 10 === 0) yield `${keyOf(index)},group-${index % 7}\n`;
  }
}

async function readDocument(output: string, answer: string): Promise<unknown> {
  if (answer === '') return null;
  const { run } = JSON.parse(answer) as { run: string };
  return JSON.parse(await readFile(join(output, 'runs', run, 'run.json'), 'utf8'));
}

/** @returns the most memory a process ever had resident, once it has ended */
async function peakMemory(pid: number): Promise<number> {
  let bytes = 0;
  for (;;) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const high = /^VmHWM:\s+(\d+) kB/m.exec(status);
    if (!high) return bytes;
    bytes = Number(high[1]) * 1024;
    await setTimeout(100);
  }
}

async function redisBytes(url: string): Promise<number> {
  const redis = connectRedis(url, 'prompt', () => undefined);
  try {
    return parseMemory(await redis.info('memory')).usedBytes;
  } finally {
    redis.disconnect();
  }
}
