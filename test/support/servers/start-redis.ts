import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './find-program.ts';
import { freePorts } from './free-ports.ts';
import { startGuarded } from './guarded-process.ts';

export interface RedisOptions {
  /** Memory it may use before it refuses writes (`noeviction`). Default: no limit. */
  readonly maxmemoryBytes?: number;
  /** Whether it writes its append-only file, and so has its data again after `kill` and `restart`. Default: true. */
  readonly appendOnly?: boolean;
}

/** A Redis that belongs to one test, which may do anything to it. */
export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  /** Stays the same over `restart`. */
  readonly port: number;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** Ends it at once, as a crash does, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port with what its append-only file has, and waits until it answers; ends it before if it runs. */
  restart(): Promise<void>;
  /** Ends it for good and deletes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a Redis on loopback: this machine's `redis-server`, or a container where there is none.
 * @throws Error when there is neither, or with what Redis wrote when it does not start.
 */
export async function startRedis(options: RedisOptions = {}): Promise<OwnRedis> {
  if (findProgram('redis-server') !== undefined) return startRedisProcess(options);
  const { startRedisContainer } = await import('./containers.ts');
  return startRedisContainer(options);
}

/** Arguments of `redis-server` that a process and a container have in common. */
export function redisArgs({ maxmemoryBytes = 0, appendOnly = true }: RedisOptions): string[] {
  const memory = ['--maxmemory', `${maxmemoryBytes}`, '--maxmemory-policy', 'noeviction'];
  return [...memory, '--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'everysec', '--save', ''];
}

async function startRedisProcess(options: RedisOptions): Promise<OwnRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-redis-'));
  const [port] = (await freePorts(1)) as [number];
  const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder, ...redisArgs(options)];
  const start = async () => {
    const started = await startGuarded('redis-server', args);
    await started.wrote('Ready to accept connections');
    return started;
  };
  const deleteFiles = () => rm(folder, { recursive: true, force: true });
  let running = await start().catch(async (error: unknown) => {
    await deleteFiles();
    throw error;
  });
  const kill = () => running.end('SIGKILL');
  const stop = async () => {
    await kill();
    await deleteFiles();
  };
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return running.pid;
    },
    kill,
    async restart() {
      await kill();
      running = await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
