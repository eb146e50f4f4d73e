import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { connectRedis } from '@filterscope/queue/redis';
import { openRunQueue, type RunQueue } from '@filterscope/queue/run-queue';
import type { ChunkJob } from '@filterscope/queue/job';
import { listCommits } from '@filterscope/runs/commit';
import { openCropParts } from '@filterscope/runs/crop-parts';
import { readComplete, type IndexDocument } from '@filterscope/runs/index-document';
import { chunkCount, type RunDocument } from '@filterscope/runs/run-document';
import { listFiles } from './list-files.ts';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { openStore } from '@filterscope/storage/open-store';
import type { S3Address } from './servers/addresses.ts';
import type { StubWorkerSettings } from './stub-worker.ts';

const STUB_WORKER = fileURLToPath(new URL('stub-worker.ts', import.meta.url));
const LOOK_EVERY_MS = 100;
const PATIENCE_MS = 90_000;

/** A worker process with a stub engine. */
export interface StubWorker {
  readonly child: ChildProcess;
  readonly exit: Promise<number | NodeJS.Signals>;
  /** Lines of its log so far. */
  log(): Record<string, unknown>[];
  kill(signal?: NodeJS.Signals): Promise<number | NodeJS.Signals>;
}

/** Credentials of the tests' S3, for this process and those it starts. */
export function useCredentials({ accessKeyId, secretAccessKey, region }: S3Address): void {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_REGION: region,
  });
}

export function startStubWorker(
  settings: Pick<StubWorkerSettings, 'redisUrl'> & Partial<StubWorkerSettings>,
): StubWorker {
  const defaults = { lockMs: 3_000, graceMs: 10_000, parallel: 2, imageMs: 30 };
  const child = spawn(process.execPath, [STUB_WORKER, JSON.stringify({ ...defaults, ...settings })], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop); // a test that ends early leaves no process behind
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text += more));
  const exit = once(child, 'exit').then(([code, signal]) => {
    process.removeListener('exit', stop);
    return (code ?? signal) as number | NodeJS.Signals;
  });
  return {
    child,
    exit,
    log: () => text.split('\n').flatMap(parsedLine),
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      return exit;
    },
  };
}

function parsedLine(line: string): Record<string, unknown>[] {
  try {
    return [JSON.parse(line) as Record<string, unknown>];
  } catch {
    return line === '' ? [] : [{ msg: line }];
  }
}

/** Puts the files of a folder below an S3 URL. */
export async function upload(folder: string, url: string, endpoint: string): Promise<void> {
  await using store = await openStore(url, { endpoint });
  const files = await listFiles(folder);
  const put = async () => {
    for (let file = files.pop(); file !== undefined; file = files.pop())
      await store.put(file, await readFile(join(folder, file)));
  };
  await Promise.all(Array.from({ length: 32 }, put));
}

/** A run in a queue of a test's own. */
export interface DistributedRun extends AsyncDisposable {
  readonly queue: RunQueue;
  /** Enqueues what has no commit, as `submit` and `resume` do. */
  readonly enqueueOpen: () => Promise<void>;
  /** Waits until `done` holds. @throws after a minute and a half, with what the workers said. */
  readonly until: (what: string, done: () => Promise<boolean>) => Promise<void>;
  /** Waits until a number of chunks have their commit. */
  readonly committed: (chunks: number) => Promise<void>;
  /** Waits until the run is complete, its crops are made, and nothing of it is left in the queue. */
  readonly complete: () => Promise<IndexDocument>;
}

export function distributedRun(
  document: RunDocument,
  output: ObjectStore,
  redisUrl: string,
  workers: () => readonly StubWorker[],
): DistributedRun {
  const redis = connectRedis(redisUrl, 'patient', () => undefined);
  const queue = openRunQueue(redis, () => undefined);
  const place = { output: output.url, run: document.run };
  const until: DistributedRun['until'] = async (what, done) => {
    const end = performance.now() + PATIENCE_MS;
    while (!(await done())) {
      if (performance.now() > end) throw new Error(`${what} did not come to pass:\n${lastLines(workers())}`);
      await setTimeout(LOOK_EVERY_MS);
    }
  };
  const commits = async () =>
    (await listCommits(output, document.run)).filter(({ revision }) => revision === 0);
  return {
    queue,
    until,
    async enqueueOpen() {
      const committed = new Set((await commits()).map(({ chunk }) => chunk));
      const jobs = Array.from({ length: chunkCount(document) }, (_, chunk) => chunk)
        .filter((chunk) => !committed.has(chunk))
        .map((chunk): ChunkJob => ({ chunk, revision: 0, codes: null }));
      await queue.enqueue(place, jobs, { maxBacklog: 1e6 });
      if (jobs.length === 0) await queue.enqueueCompletion(place);
    },
    committed: (chunks) => until(`${chunks} commits`, async () => (await commits()).length >= chunks),
    async complete() {
      await until('completion', async () => (await readComplete(output, document.run)) !== undefined);
      // Between a completion and the crops that follow it the queue is empty, too.
      await until('all crops', async () => {
        const index = await readComplete(output, document.run);
        if (!index) return false;
        return document.crops === 'none' || (await openCropParts(document, index, output)).length === 0;
      });
      await until('an empty queue', async () => (await queue.open(place)) === 0);
      return (await readComplete(output, document.run))!;
    },
    async [Symbol.asyncDispose]() {
      await Promise.race([queue[Symbol.asyncDispose](), setTimeout(2_000)]);
      redis.disconnect();
    },
  };
}

function lastLines(workers: readonly StubWorker[]): string {
  return workers
    .map((worker) =>
      worker
        .log()
        .slice(-6)
        .map((line) => JSON.stringify(line).slice(0, 500))
        .join('\n'),
    )
    .join('\n---\n');
}
