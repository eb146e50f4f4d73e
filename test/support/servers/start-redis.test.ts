import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Redis } from 'ioredis';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { temporaryFolders } from '../temporary-folders.ts';
import { findProgram } from './find-program.ts';
import { startRedis } from './start-redis.ts';

const newFolder = temporaryFolders();

describe.skipIf(!inject('ownRedis'))('a Redis of its own', () => {
  test('has its data again after a kill and a restart, on the same port', async () => {
    await using own = await startRedis();
    await using other = await startRedis();
    expect(own.port).not.toBe(other.port);
    const first = client(own.url);
    await first.set('key', 'value');
    const { pid, port } = own;
    await own.kill();
    await expect(client(own.url).ping()).rejects.toThrow();
    await own.restart();
    expect(own.port).toBe(port);
    expect(own.pid).not.toBe(pid);
    expect(await client(own.url).get('key')).toBe('value');
    expect(await client(other.url).get('key')).toBeNull();
  });

  test('restarts while it runs', async () => {
    await using own = await startRedis({ appendOnly: false });
    await client(own.url).set('key', 'value');
    await own.restart();
    expect(await client(own.url).get('key')).toBeNull();
  });

  test('refuses writes at its limit of memory and evicts nothing', async () => {
    await using own = await startRedis({ maxmemoryBytes: 4 * 1024 ** 2 });
    const redis = client(own.url);
    await redis.set('key', 'value');
    const fill = async () => {
      for (let i = 0; i < 64; i++) await redis.set(`filler ${i}`, 'x'.repeat(256 * 1024));
    };
    await expect(fill()).rejects.toThrow('OOM');
    expect(await redis.get('key')).toBe('value');
  });

  test.skipIf(findProgram('redis-server') === undefined || findProgram('setpriv') === undefined)(
    'does not outlive a test process that is killed',
    async () => {
      const module = new URL('start-redis.ts', import.meta.url).href;
      const code = `const { startRedis } = await import('${module}'); console.log((await startRedis()).port);`;
      const parent = spawn(process.execPath, ['--input-type=module', '-e', code], {
        // What it can no longer delete is deleted with this folder.
        env: { ...process.env, TMPDIR: await newFolder() },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = (await once(parent.stdout, 'data')) as [Buffer];
      const port = Number(line);
      expect(await listens(port)).toBe(true);
      parent.kill('SIGKILL');
      await expect.poll(() => listens(port)).toBe(false);
    },
  );
});

function client(url: string): Redis {
  const redis = new Redis(url, { retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => {});
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function listens(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return connected;
}
