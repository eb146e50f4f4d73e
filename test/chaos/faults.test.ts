import { randomInt, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import sharp from 'sharp';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { connectRedis } from '@filterscope/queue/redis';
import { listCommits } from '@filterscope/runs/commit';
import { chunkCount, type RunSettings } from '@filterscope/runs/run-document';
import { openStore } from '@filterscope/storage/open-store';
import { distributedRun, upload, useCredentials } from '../support/distributed-run.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { expectOneFailed, expectUnharmed, LOCK_MS, withScene, type Scene } from '../support/fault-scene.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { startRedis } from '../support/servers/start-redis.ts';
import { readStoredRun, uncommittedObjects, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const FULL = process.env['FILTERSCOPE_TEST'] === 'full';
const TIMES = Number(process.env['FILTERSCOPE_FAULTS_TIMES'] ?? (FULL ? 10 : 1));
const again = Array.from({ length: TIMES }, (_, i) => i + 1);
const MINUTES = 60_000;

const s3 = inject('s3')!;
const reason = s3 && inject('ownRedis') ? '' : inject('serversMissing');
if (reason !== '') console.log(`skipped: the faults need Redis and S3 (${reason})`);

const newFolder = temporaryFolders();
let dataset: string;
let undisturbed: StoredRun;

async function newDataset(change: (folder: string) => Promise<void> = async () => {}): Promise<string> {
  const folder = await newFolder();
  await writePhotos(folder, 40);
  await writeDated(join(folder, 'broken.jpg'), 'no picture');
  await writeDated(join(folder, 'notes.txt'), 'no picture either');
  await change(folder);
  const url = `s3://${s3.bucket}/dataset-${randomUUID()}`;
  await upload(folder, url, s3.endpoint);
  return url;
}

/** What a run that nothing happens to comes to. */
async function undisturbedRun(of: string, settings: Partial<RunSettings> = {}): Promise<StoredRun> {
  return withScene({ s3, dataset: of, settings }, async ({ run, distributed, start }) => {
    start();
    await distributed.complete();
    return readStoredRun(run.output, run.document.run);
  });
}

describe.skipIf(reason !== '')('under a fault nothing is lost', () => {
  beforeAll(async () => {
    useCredentials(s3);
    dataset = await newDataset();
    undisturbed = await undisturbedRun(dataset);
  }, 2 * MINUTES);

  const unharmed = (fault: string, injected: string, inflict: (scene: Scene) => Promise<void>) =>
    test.each(again)(
      `${fault} (%i)`,
      async () =>
        expectUnharmed({ fault, injected }, { s3, dataset, undisturbed: () => undisturbed }, inflict),
      3 * MINUTES,
    );

  unharmed(
    'a worker is killed at a random moment',
    'SIGKILL to one of two workers within 0.3 s after the first commit',
    async ({ distributed, start }) => {
      const [victim] = [start(), start()];
      await distributed.committed(1);
      await setTimeout(randomInt(0, 300));
      await victim.kill();
      start();
    },
  );

  unharmed(
    'a worker is told to stop and has time to finish',
    'SIGTERM with 10 s of grace, two commits after the start',
    async ({ distributed, start }) => {
      const worker = start();
      await distributed.committed(2);
      expect(await worker.kill('SIGTERM')).toBe(0);
      const stopped = await distributed.queue.ready();
      expect(stopped).toBeGreaterThan(0);
      start();
    },
  );

  unharmed(
    'a worker is told to stop and has no time to finish',
    'SIGTERM with no grace, chunks in hand: they are handed back',
    async ({ distributed, start }) => {
      const worker = start({ graceMs: 0, imageMs: 400 });
      await distributed.until('work in hand', async () => worker.log().some(({ msg }) => msg === 'chunk'));
      expect(await worker.kill('SIGTERM')).toBe(0);
      expect(worker.log().some(({ disposition }) => disposition === 'hand-back')).toBe(true);
      start();
    },
  );

  unharmed(
    'the same chunks are given to two workers at once',
    'every job in two queues, each with a worker',
    async ({ run, redis, start }) => {
      await using second = await startRedis();
      expect(second.port).not.toBe(redis.port);
      const workers = [start(), start({ redisUrl: second.url })];
      await using other = distributedRun(run.document, run.output, second.url, () => workers);
      await other.enqueueOpen();
      await other.complete();
    },
  );

  test.each(Array.from({ length: TIMES === 1 ? 3 : 12 }, (_, i) => (TIMES === 1 ? i * 5 : i)))(
    'a worker dies at its put number %i, before and after it',
    async (put) => {
      for (const after of [false, true]) {
        const moment = after ? 'after' : 'before';
        const fault = `a worker dies between data and commit, ${moment} a put`;
        await expectUnharmed(
          { fault, injected: 'SIGKILL of itself at its n-th put: grids, tables, sums, commit' },
          { s3, dataset, undisturbed: () => undisturbed },
          async ({ start }) => {
            expect(await start({ dieAtPut: { put, after } }).exit).toBe('SIGKILL');
            start();
          },
        );
      }
    },
    3 * MINUTES,
  );

  unharmed(
    'Redis is killed and restarted',
    'SIGKILL to Redis, 1.5 s without it',
    async ({ distributed, redis, start }) => {
      start();
      await distributed.committed(2);
      await redis.kill();
      await setTimeout(1_500);
      await redis.restart();
    },
  );

  unharmed(
    'Redis is wiped, then resume',
    'FLUSHALL with chunks in hand and waiting',
    async ({ distributed, redis, start }) => {
      start();
      await distributed.committed(2);
      const client = connectRedis(redis.url, 'prompt', () => undefined);
      await client.flushall();
      client.disconnect();
      await distributed.enqueueOpen();
    },
  );

  unharmed(
    'Redis is full, then freed',
    '`maxmemory` of 1 MB for 4 s: it refuses every write',
    async ({ distributed, redis, start }) => {
      start();
      await distributed.committed(2);
      const client = connectRedis(redis.url, 'prompt', () => undefined);
      await client.config('SET', 'maxmemory', '1mb');
      await setTimeout(4_000);
      await client.config('SET', 'maxmemory', '0');
      client.disconnect();
    },
  );

  unharmed(
    'Redis is out of reach for longer than a lock',
    'a black hole in the line for twice the time of a lock',
    async ({ distributed, redis, start }) => {
      await using proxy = await startFaultProxy({ host: '127.0.0.1', port: redis.port });
      start({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
      await distributed.committed(2);
      proxy.blackHole();
      await setTimeout(2 * LOCK_MS);
      await proxy.heal();
      await distributed.complete();
    },
  );

  unharmed('S3 is too busy', '503 SlowDown to every fifth request', async ({ distributed, s3, start }) => {
    s3.decide(({ number }) => (number % 5 === 4 ? { status: 503, code: 'SlowDown' } : 'pass'));
    start();
    await distributed.complete();
    expect(s3.requests).toBeGreaterThan(100);
  });

  unharmed(
    'S3 cuts bodies short',
    'the connection closed after half of every seventh body',
    async ({ distributed, s3, start }) => {
      let cut = 0;
      s3.decide(({ number, method }) => {
        if (method !== 'GET' || number % 7 !== 6) return 'pass';
        cut += 1;
        return 'cut-body';
      });
      start();
      await distributed.complete();
      expect(cut).toBeGreaterThan(10);
    },
  );

  unharmed(
    'S3 loses answers',
    'the connection reset after every third PUT that succeeded',
    async ({ distributed, s3, start }) => {
      let puts = 0;
      s3.decide(({ method }) => (method === 'PUT' && puts++ % 3 === 0 ? 'reset-after' : 'pass'));
      start();
      await distributed.complete();
      expect(puts).toBeGreaterThan(30);
    },
  );

  unharmed(
    'S3 is out of reach, then back',
    'connections reset and refused until a job is put off',
    async ({ distributed, s3, start }) => {
      const { hostname, port } = new URL(s3.endpoint);
      await using proxy = await startFaultProxy({ host: hostname, port: Number(port) });
      const worker = start({ endpoint: `http://127.0.0.1:${proxy.port}` });
      await distributed.committed(2);
      proxy.refuse();
      proxy.reset();
      await distributed.until('a job that is put off', async () =>
        worker.log().some(({ disposition }) => disposition === 'later'),
      );
      await proxy.heal();
      await distributed.complete();
    },
  );

  unharmed(
    'credentials expire and come back',
    'ExpiredToken to every request until a job is put off',
    async ({ distributed, s3, start }) => {
      const worker = start();
      await distributed.committed(2);
      s3.decide(() => ({ status: 400, code: 'ExpiredToken' }));
      await distributed.until('a job that is put off', async () =>
        worker.log().some(({ disposition }) => disposition === 'later'),
      );
      s3.heal();
    },
  );

  unharmed(
    'a late zombie writes after its chunks were committed by another',
    'SIGSTOP of a worker with chunks in hand, SIGCONT when the run is complete',
    async ({ run, distributed, start }) => {
      const zombie = start({ imageMs: 200 });
      await distributed.committed(1);
      zombie.child.kill('SIGSTOP');
      start();
      await distributed.complete();
      const before = await listCommits(run.output, run.document.run);
      zombie.child.kill('SIGCONT');
      await distributed.until('the end of the zombie', async () =>
        zombie.log().some(({ outcome }) => outcome === 'second'),
      );
      await zombie.kill('SIGTERM');
      expect(await listCommits(run.output, run.document.run)).toEqual(before);
      expect(await uncommittedObjects(run.output, run.document.run)).toEqual([]);
    },
  );

  unharmed(
    'one key is forbidden, the run completes, then retry',
    '403 AccessDenied for one image until `retry`',
    async ({ run, distributed, s3, start }) => {
      const forbidden = 'cat/photo%200.jpg';
      s3.decide(({ path }) => (path.includes(forbidden) ? { status: 403, code: 'AccessDenied' } : 'pass'));
      start();
      await distributed.complete();
      const { images } = await readStoredRun(run.output, run.document.run);
      const codes = images
        .filter(({ status }) => status === 'failed')
        .map(({ image, code }) => [image, code].join(' '));
      expect(codes.toSorted()).toEqual(['broken.jpg not-an-image', 'cat/photo 0.jpg forbidden']);
      s3.heal();
      await retry(run, distributed, ['forbidden']);
    },
  );

  unharmed(
    'a retry and a zombie of the first pass at the same time',
    'SIGSTOP of a worker, SIGCONT as images that were forbidden are retried',
    async ({ run, distributed, s3, start }) => {
      s3.decide(({ path }) =>
        path.includes('cat/photo%203') ? { status: 403, code: 'AccessDenied' } : 'pass',
      );
      const zombie = start({ imageMs: 200 });
      await distributed.committed(1);
      zombie.child.kill('SIGSTOP');
      start();
      await distributed.complete();
      s3.heal();
      zombie.child.kill('SIGCONT');
      await retry(run, distributed, ['forbidden']);
    },
  );
});

/** Redoes failed images and waits until it is done. */
async function retry(
  { document, output }: Scene['run'],
  { queue, until, complete }: Scene['distributed'],
  codes: string[],
): Promise<void> {
  const { run } = document;
  const { images } = await readStoredRun(output, run);
  const failed = images.filter(({ code }) => codes.includes(String(code)));
  const chunks = [...new Set(failed.map(({ row }) => Math.floor(Number(row) / document.chunkSize)))];
  expect(chunks.length).toBeGreaterThan(0);
  const jobs = chunks.map((chunk) => ({ chunk, revision: 1, codes }));
  await queue.enqueue({ output: output.url, run }, jobs, { maxBacklog: 1e6 });
  await until('the retried rows', async () => {
    const { images } = await readStoredRun(output, run);
    return images.every(({ code }) => !codes.includes(String(code)));
  });
  await complete();
}

describe.skipIf(reason !== '')('what is the image’s own fault is said of the image alone', () => {
  beforeAll(() => useCredentials(s3));

  // Whoever measures the grey scales may have the image in hand twice as well.
  test.each(
    again.flatMap((time) => [
      { grids: 'none', atMost: 2, time },
      { grids: 'some', atMost: 4, time },
    ]),
  )(
    'an image that kills its process ends as poison, all others are done (grids of $grids, $time)',
    async ({ grids, atMost }) => {
      const poisoned = await newDataset(async (folder) => {
        const colour = sharp({ create: { width: 96, height: 80, channels: 3, background: '#ff00ff' } });
        await writeDated(join(folder, 'dog/deadly.png'), await colour.png().toBuffer());
      });
      const settings: Partial<RunSettings> =
        grids === 'none' ? { grids: 'none', gridStyle: null, gridFormat: null } : {};
      const harmless = await undisturbedRun(poisoned, settings);
      await expectOneFailed(
        {
          fault: 'an image kills the process that decodes it',
          injected: `SIGKILL of the worker itself at one of the images; grids of ${grids}`,
        },
        { s3, dataset: poisoned, settings, undisturbed: () => harmless },
        { image: 'dog/deadly.png', code: 'poison' },
        async ({ distributed, start }) => {
          let deaths = 0;
          const over = new AbortController();
          const keepOneRunning = async () => {
            while (!over.signal.aborted) {
              const worker = start({ poison: [255, 0, 255] });
              if ((await worker.exit) === 'SIGKILL' && !over.signal.aborted) deaths += 1;
            }
          };
          const keeping = keepOneRunning();
          try {
            await distributed.complete();
          } finally {
            over.abort(); // before the workers are killed, so that none is started again
          }
          void keeping;
          expect(deaths).toBeGreaterThanOrEqual(2);
          expect(deaths).toBeLessThanOrEqual(atMost);
        },
      );
    },
    3 * MINUTES,
  );

  test.each(again)(
    'an object that changes between listing and reading is said to have changed (%i)',
    async () => {
      const changing = await newDataset();
      const unchanged = await undisturbedRun(changing);
      await expectOneFailed(
        { fault: 'an image changes after it was listed', injected: 'another object under the same key' },
        { s3, dataset: changing, undisturbed: () => unchanged },
        { image: 'dog/photo 1.jpg', code: 'changed' },
        async ({ run, start }) => {
          await using store = await openStore(changing, { endpoint: s3.endpoint });
          await store.put('dog/photo 1.jpg', new TextEncoder().encode('another picture'));
          expect(chunkCount(run.document)).toBeGreaterThan(5);
          start();
        },
      );
    },
    3 * MINUTES,
  );
});
