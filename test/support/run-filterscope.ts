import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPool } from '@filterscope/engines/pool';

const COMMAND = fileURLToPath(new URL('../../apps/cli/bin/filterscope.mjs', import.meta.url));

export interface Finished {
  /** Null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stdoutBytes: Buffer;
  readonly stderr: string;
}

/** A `filterscope` process. */
export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  /** What it has said on standard error so far. */
  said(): string;
}

export interface Surroundings {
  readonly cwd?: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** User to run as, for a test that runs as root. */
  readonly uid?: number;
}

/** Starts `filterscope` with the Node that runs the tests and, unless told otherwise, an empty cache of its own. */
export function startFilterscope(
  args: readonly string[],
  { cwd, environment = {}, uid }: Surroundings = {},
): Running {
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('FILTERSCOPE_'));
  const child = spawn(process.execPath, [COMMAND, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...Object.fromEntries(inherited),
      FILTERSCOPE_CACHE: join(tmpdir(), `filterscope-test-cache-${process.pid}`),
      ...environment,
    },
    ...(cwd !== undefined && { cwd }),
    ...(uid !== undefined && { uid, gid: uid }),
  });
  const stop = () => child.kill('SIGKILL');
  process.once('exit', stop); // a test that ends early leaves no process behind
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on('data', (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on('data', (bytes: Buffer) => stderr.push(bytes));
  const finished = once(child, 'close').then(() => {
    process.removeListener('exit', stop);
    return {
      code: child.exitCode,
      signal: child.signalCode,
      stdout: Buffer.concat(stdout).toString(),
      stdoutBytes: Buffer.concat(stdout),
      stderr: Buffer.concat(stderr).toString(),
    };
  });
  return { child, finished, said: () => Buffer.concat(stderr).toString() };
}

/** Tests may run at the same time; so many of their processes do. */
const places = createPool([1, 2, 3]);

/** Runs `filterscope` to its end. */
export async function filterscope(args: readonly string[], surroundings?: Surroundings): Promise<Finished> {
  return places.use(() => startFilterscope(args, surroundings).finished);
}

/** The answer of a command that must succeed, as JSON. */
export async function askJson<Answer>(
  args: readonly string[],
  expectedCode = 0,
  surroundings?: Surroundings,
): Promise<Answer> {
  const { code, stdout, stderr } = await filterscope([...args, '--json'], surroundings);
  if (code !== expectedCode) throw new Error(`filterscope ${args.join(' ')} ended with ${code}:\n${stderr}`);
  return JSON.parse(stdout) as Answer;
}
