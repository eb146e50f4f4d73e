import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { cephConf } from './ceph-conf.ts';
import { findProgram } from './find-program.ts';
import { freePorts } from './free-ports.ts';
import { startGuarded, type GuardedProcess } from './guarded-process.ts';

const START_TIMEOUT_MS = 60_000;
const POLL_MS = 25;

/** What must be on the machine for `startRadosgw`. */
export const RADOSGW_PROGRAMS = [
  'ceph-mon',
  'ceph-osd',
  'radosgw',
  'radosgw-admin',
  'monmaptool',
  'osdmaptool',
];

export interface Radosgw extends AsyncDisposable {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/**
 * Starts Ceph's S3 gateway on loopback, with a user. Its data is in memory and goes with it.
 * @throws Error when a part of it ends before it serves, with what that part wrote.
 */
export async function startRadosgw(): Promise<Radosgw> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-ceph-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const [monitorPort, gatewayPort] = (await freePorts(2)) as [number, number];
  const fsid = randomUUID();
  const keys = { accessKeyId: 'filterscope-test', secretAccessKey: randomUUID() };
  const conf = join(folder, 'ceph.conf');
  await mkdir(join(folder, 'mon'));
  await mkdir(join(folder, 'osd'));
  await writeFile(conf, cephConf({ folder, fsid, monitorPort, gatewayPort }));
  const signal = AbortSignal.timeout(START_TIMEOUT_MS);
  const tool = (name: string, ...args: string[]) => runTool(name, ['-c', conf, ...args], signal);
  const daemon = async (name: string, ...args: string[]): Promise<GuardedProcess> => {
    const started = await startGuarded(name, ['-c', conf, '-f', ...args]);
    // Nothing of it is kept, so nothing is gained by a clean end, which takes seconds.
    stack.defer(() => started.end('SIGKILL'));
    return started;
  };

  const monmap = join(folder, 'monmap');
  const osdmap = join(folder, 'osdmap');
  const formatMonitor = async () => {
    // An OSD map made beforehand spares six calls of `ceph`, each of which starts a Python.
    await Promise.all([
      tool('monmaptool', '--create', '--addv', 'a', `[v1:127.0.0.1:${monitorPort}]`, '--fsid', fsid, monmap),
      tool('osdmaptool', '--createsimple', '1', osdmap),
    ]);
    await tool('ceph-mon', '--mkfs', '-i', 'a', '--monmap', monmap, '--osdmap', osdmap);
  };
  const formatOsd = tool('ceph-osd', '-i', '0', '--mkfs', '--osd-uuid', randomUUID(), '--no-mon-config');
  await Promise.all([formatMonitor(), formatOsd]);
  const monitor = await daemon('ceph-mon', '-i', 'a');
  const osd = await daemon('ceph-osd', '-i', '0');
  const gateway = await daemon('radosgw', '-n', 'client.rgw');
  const userArgs = ['user', 'create', '--uid', 'filterscope', '--display-name', 'Filterscope'];
  const credentials = ['--access-key', keys.accessKeyId, '--secret-key', keys.secretAccessKey];
  const endpoint = `http://127.0.0.1:${gatewayPort}`;
  const serving = async () => {
    await untilAnswers(endpoint, signal);
    // After the gateway, not beside it: both make the first zone, and then one at times waits 5 s for the other.
    await tool('radosgw-admin', ...userArgs, ...credentials);
  };
  const failed = Promise.race([monitor.ended, osd.ended, gateway.ended]).then((how) => {
    throw new Error(how);
  });
  failed.catch(() => {});
  await Promise.race([serving(), failed]);
  const running = stack.move();
  return { endpoint, region: 'us-east-1', ...keys, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function runTool(name: string, args: readonly string[], signal: AbortSignal): Promise<void> {
  await promisify(execFile)(findProgram(name) ?? name, args, { signal });
}

/** The gateway tells nobody when it serves, so it is asked. */
async function untilAnswers(endpoint: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(endpoint, { signal }).catch(() => undefined);
    await response?.body?.cancel();
    if (response?.status === 200) return;
    await sleep(POLL_MS, undefined, { signal });
  }
}
