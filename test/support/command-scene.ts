import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { connectRedis } from '@filterscope/queue/redis';
import { readReports, type WorkerReport } from '@filterscope/queue/worker-reports';
import { listCommits } from '@filterscope/runs/commit';
import { readRunStatus } from '@filterscope/runs/run-status';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { openStore } from '@filterscope/storage/open-store';
import { startFilterscope, type Finished, type Running } from './run-filterscope.ts';
import { startS3FaultProxy, type S3FaultProxy } from './s3-fault-proxy.ts';
import type { S3Address } from './servers/addresses.ts';
import { startRedis } from './servers/start-redis.ts';

type Variables = Readonly<Record<string, string>>;

/** A place for real commands: an output of its own in S3, a Redis of its own that has a password. */
export interface CommandScene extends AsyncDisposable {
  /** The output, past the proxy. */
  readonly output: ObjectStore;
  /** What stands between the commands and S3. */
  readonly s3: S3FaultProxy;
  /** With the password in it. */
  readonly redisUrl: string;
  readonly start: (args: readonly string[], variables?: Variables) => Running;
  readonly startWorker: (variables?: Variables, ...args: string[]) => Running;
  /** Runs a command on the output. @throws unless it ends with this exit code */
  readonly run: (args: readonly string[], code?: number, variables?: Variables) => Promise<Finished>;
  /** The same with `--json`. */
  readonly ask: <Answer>(args: readonly string[], code?: number) => Promise<Answer>;
  readonly workers: () => Promise<WorkerReport[]>;
  /** FLUSHALL. */
  readonly wipeRedis: () => Promise<unknown>;
  /** How many chunks of a run have their commit. */
  readonly committed: (run: string) => Promise<number>;
  /** Whether a run is complete and its crops are all made. */
  readonly withCrops: (run: string) => Promise<boolean>;
  /** Keys below the output. */
  readonly keys: () => Promise<string[]>;
  readonly until: (what: string, done: () => boolean | Promise<boolean>) => Promise<void>;
  /** Expects that nothing that was written by any process of the scene has a password or a secret key in it. */
  readonly expectNoSecrets: (...more: string[]) => Promise<void>;
}

const LOOK_EVERY_MS = 50;
const PATIENCE_MS = 30_000;

export async function openCommandScene(s3: S3Address): Promise<CommandScene> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis());
  const client = connectRedis(redis.url, 'prompt', () => undefined);
  stack.defer(() => client.disconnect());
  const password = randomUUID();
  await client.config('SET', 'requirepass', password);
  const proxy = stack.use(await startS3FaultProxy(s3.endpoint));
  const output = stack.use(
    await openStore(`s3://${s3.bucket}/commands-${randomUUID()}`, { endpoint: s3.endpoint }),
  );
  const redisUrl = `redis://:${password}@127.0.0.1:${redis.port}`;
  const started: Running[] = [];
  stack.defer(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.map(({ finished }) => finished));
  });

  const start: CommandScene['start'] = (args, variables = {}) => {
    const environment = { AWS_ENDPOINT_URL_S3: proxy.endpoint, REDIS_URL: redisUrl, ...variables };
    const running = startFilterscope(args, { environment });
    started.push(running);
    return running;
  };
  const run: CommandScene['run'] = async (args, code = 0, variables = {}) => {
    const finished = await start([...args, '-o', output.url], variables).finished;
    if (finished.code === code) return finished;
    throw new Error(`${args.join(' ')} ended with ${finished.code ?? finished.signal}:\n${finished.stderr}`);
  };
  const until: CommandScene['until'] = async (what, done) => {
    const end = performance.now() + PATIENCE_MS;
    while (!(await done())) {
      const said = started.map((running) => running.said().slice(-600)).join('\n---\n');
      if (performance.now() > end) throw new Error(`${what} did not come to pass:\n${said}`);
      await setTimeout(LOOK_EVERY_MS);
    }
  };
  const running = stack.move();
  return {
    output,
    s3: proxy,
    redisUrl,
    start,
    startWorker: (variables = {}, ...args) =>
      start(['worker', '--threads', '1', '--health-port', '0', ...args], variables),
    run,
    ask: async (args, code) => JSON.parse((await run([...args, '--json'], code)).stdout),
    workers: () => readReports(client),
    wipeRedis: () => client.flushall(),
    committed: async (run) => (await listCommits(output, run)).length,
    withCrops: async (run) => {
      const { crops } = await readRunStatus(output, run);
      return crops !== null && crops.done === crops.total;
    },
    keys: async () => (await Array.fromAsync(output.list(''))).map(({ key }) => key).toSorted(),
    until,
    async expectNoSecrets(...more) {
      for (const { child, finished } of started) {
        child.kill('SIGKILL');
        const { stdout, stderr } = await finished;
        for (const secret of [password, s3.secretAccessKey, ...more])
          expect(stdout + stderr).not.toContain(secret);
      }
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What a process has logged so far. */
export function logged(running: Running): Record<string, unknown>[] {
  return running
    .said()
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}
