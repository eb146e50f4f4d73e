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
import { expectUnharmed, LOCK_MS, withScene, type Scene } from '../support/fault-scene.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { startRedis } from '../support/servers/start-redis.ts';
import { readStoredRun, uncommittedObjects, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const TIMES = process.env['FILTERSCOPE_TEST'] === 'full' ? 10 : 1;
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
async function undisturbedRun(of: string): Promise<StoredRun> {
  return withScene({ s3, dataset: of }, async ({ run, distributed, start }) => {
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

  const unharmed = (fault: string, inflict: (scene: Scene) => Promise<void>, redis = {}) =>
    test.each(again)(
      `${fault} (%i)`,
      async () => expectUnharmed(fault, { s3, dataset, undisturbed: () => undisturbed, redis }, inflict),
      3 * MINUTES,
    );

  unharmed('a worker is killed (SIGKILL) at a random moment', async ({ distributed, start }) => {
    const [victim] = [start(), start()];
    await distributed.committed(1);
    await setTimeout(randomInt(0, 300));
    await victim.kill();
    start();
  });

  unharmed('a worker is told to stop (SIGTERM) and has time to finish', async ({ distributed, start }) => {
    const worker = start();
    await distributed.committed(2);
    expect(await worker.kill('SIGTERM')).toBe(0);
    const stopped = await distributed.queue.ready();
    expect(stopped).toBeGreaterThan(0);
    start();
  });

  unharmed('a worker is told to stop (SIGTERM) and has no time to finish', async ({ distributed, start }) => {
    const worker = start({ graceMs: 0, imageMs: 400 });
    await distributed.until('work in hand', async () => worker.log().some(({ msg }) => msg === 'chunk'));
    expect(await worker.kill('SIGTERM')).toBe(0);
    expect(worker.log().some(({ disposition }) => disposition === 'hand-back')).toBe(true);
    start();
  });

  unharmed('the same chunks are given to two workers at once', async ({ run, redis, start }) => {
    await using second = await startRedis();
    expect(second.port).not.toBe(redis.port);
    const workers = [start(), start({ redisUrl: second.url })];
    await using other = distributedRun(run.document, run.output, second.url, () => workers);
    await other.enqueueOpen();
    await other.complete();
  });

  test.each(Array.from({ length: TIMES === 1 ? 3 : 12 }, (_, i) => (TIMES === 1 ? i * 5 : i)))(
    'a worker dies at its put number %i, before and after it',
    async (put) => {
      for (const after of [false, true]) {
        await expectUnharmed(
          `a worker dies at a put, ${after ? 'after' : 'before'} it is stored`,
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

  unharmed('Redis is killed and restarted', async ({ distributed, redis, start }) => {
    start();
    await distributed.committed(2);
    await redis.kill();
    await setTimeout(1_500);
    await redis.restart();
  });

  unharmed('Redis is wiped (FLUSHALL), then resume', async ({ distributed, redis, start }) => {
    start();
    await distributed.committed(2);
    const client = connectRedis(redis.url, 'prompt', () => undefined);
    await client.flushall();
    client.disconnect();
    await distributed.enqueueOpen();
  });

  unharmed('Redis is full (maxmemory), then freed', async ({ distributed, redis, start }) => {
    start();
    await distributed.committed(2);
    const client = connectRedis(redis.url, 'prompt', () => undefined);
    await client.config('SET', 'maxmemory', '1mb');
    await setTimeout(4_000);
    await client.config('SET', 'maxmemory', '0');
    client.disconnect();
  });

  unharmed(
    'Redis is out of reach (black hole) for longer than a lock',
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

  unharmed('S3 answers 503 SlowDown to every fifth request', async ({ distributed, s3, start }) => {
    s3.decide(({ number }) => (number % 5 === 4 ? { status: 503, code: 'SlowDown' } : 'pass'));
    start();
    await distributed.complete();
    expect(s3.requests).toBeGreaterThan(100);
  });

  unharmed('S3 cuts every seventh body short', async ({ distributed, s3, start }) => {
    let cut = 0;
    s3.decide(({ number, method }) => {
      if (method !== 'GET' || number % 7 !== 6) return 'pass';
      cut += 1;
      return 'cut-body';
    });
    start();
    await distributed.complete();
    expect(cut).toBeGreaterThan(10);
  });

  unharmed(
    'S3 resets the connection after every third PUT that succeeded',
    async ({ distributed, s3, start }) => {
      let puts = 0;
      s3.decide(({ method }) => (method === 'PUT' && puts++ % 3 === 0 ? 'reset-after' : 'pass'));
      start();
      await distributed.complete();
      expect(puts).toBeGreaterThan(30);
    },
  );

  unharmed('credentials expire and come back', async ({ distributed, s3, start }) => {
    const worker = start();
    await distributed.committed(2);
    s3.decide(() => ({ status: 400, code: 'ExpiredToken' }));
    await distributed.until('a job that is put off', async () =>
      worker.log().some(({ disposition }) => disposition === 'later'),
    );
    s3.heal();
  });

  unharmed(
    'a late zombie writes after its chunks were committed by another',
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

  unharmed('one key is forbidden, the run completes, then retry', async ({ run, distributed, s3, start }) => {
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
  });

  unharmed(
    'a retry and a zombie of the first pass at the same time',
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
  test.each([
    { grids: 'none', atMost: 2 },
    { grids: 'some', atMost: 4 },
  ])(
    'an image that kills its process ends as poison, all others are done (grids of $grids)',
    async ({ grids, atMost }) => {
      const poisoned = await newDataset(async (folder) => {
        const colour = sharp({ create: { width: 96, height: 80, channels: 3, background: '#ff00ff' } });
        await writeDated(join(folder, 'dog/deadly.png'), await colour.png().toBuffer());
      });
      const settings: Partial<RunSettings> =
        grids === 'none' ? { grids: 'none', gridStyle: null, gridFormat: null } : {};
      await withScene({ s3, dataset: poisoned, settings }, async ({ run, distributed, start }) => {
        let deaths = 0;
        const over = new AbortController();
        const keepOneRunning = async () => {
          while (!over.signal.aborted) {
            const worker = start({ poison: [255, 0, 255] });
            if ((await worker.exit) === 'SIGKILL' && !over.signal.aborted) deaths += 1;
          }
        };
        const keeping = keepOneRunning();
        const index = await distributed.complete();
        const { images } = await readStoredRun(run.output, run.document.run);
        expect(deaths).toBeGreaterThanOrEqual(2);
        expect(deaths).toBeLessThanOrEqual(atMost);
        expect(index.ok + index.failed + index.skipped).toBe(run.document.manifest.rows);
        const failed = images
          .filter(({ status }) => status === 'failed')
          .map(({ image, code }) => [image, code].join(' '));
        expect(failed.toSorted()).toEqual(['broken.jpg not-an-image', 'dog/deadly.png poison']);
        over.abort();
        void keeping;
      });
    },
    3 * MINUTES,
  );

  test.each(again)(
    'an object that changes between listing and reading is said to have changed (%i)',
    async () => {
      const changing = await newDataset();
      await withScene({ s3, dataset: changing }, async ({ run, distributed, start }) => {
        await using store = await openStore(changing, { endpoint: s3.endpoint });
        await store.put('dog/photo 1.jpg', new TextEncoder().encode('another picture'));
        start();
        await distributed.complete();
        const { images } = await readStoredRun(run.output, run.document.run);
        const codes = images
          .filter(({ status }) => status === 'failed')
          .map(({ image, code }) => [image, code].join(' '));
        expect(codes.toSorted()).toEqual(['broken.jpg not-an-image', 'dog/photo 1.jpg changed']);
        expect(images).toHaveLength(run.document.manifest.rows);
        expect(chunkCount(run.document)).toBeGreaterThan(5);
      });
    },
    3 * MINUTES,
  );
});
