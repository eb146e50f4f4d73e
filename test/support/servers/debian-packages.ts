import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from './find-program.ts';

const INSTALLER = 'apt-get';
const KEPT_CHARACTERS = 2_000;

/** Whether packages can be installed here: Debian's `apt-get`, run by root. */
export function canInstall(): boolean {
  return process.getuid?.() === 0 && findProgram(INSTALLER) !== undefined;
}

/**
 * Installs Debian packages, quietly, without starting the services that are in them.
 * @throws Error with the end of what `apt-get` wrote.
 */
export async function installPackages(packages: readonly string[]): Promise<void> {
  await aptGet(['update']);
  await aptGet(['install', '-y', '--no-install-recommends', ...packages]);
}

async function aptGet(args: readonly string[]): Promise<void> {
  // In run level 1 the packages' scripts start nothing: the tests start servers of their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
  const child = spawn(INSTALLER, [...options, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (text: string) => void (output = (output + text).slice(-KEPT_CHARACTERS));
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`apt-get ${args.join(' ')} failed:\n${output}`);
}
