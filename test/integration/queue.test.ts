import { describe, expect, inject, test } from 'vitest';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { jobId, nameOf, runKey, type ChunkJob, type RunPlace } from '@filterscope/queue/job';
import { connectRedis, openKey, PREFIX, QUEUE, RUNS_KEY } from '@filterscope/queue/redis';
import {
  readReports,
  sendReport,
  withdrawReport,
  type WorkerReport,
} from '@filterscope/queue/worker-reports';
import { chunks, firstPass, placeOf, queueScene, retryOf, until } from '../support/queue-scene.ts';

const missing = inject('ownRedis') ? '' : inject('serversMissing');
if (missing !== '') console.log(`skipped: the queue needs a Redis of its own (${missing})`);

const ANY = { maxBacklog: 1e6 };
const A = placeOf('a');
const B = placeOf('b');

describe.skipIf(missing !== '')('the queue', () => {
  const scene = queueScene();

  describe('a producer', () => {
    test('adds each job once, however often it is told to', async () => {
      await scene.queue.enqueue(A, chunks(30), ANY);
      await scene.queue.enqueue(A, chunks(40), ANY);
      expect(await scene.queue.waiting()).toBe(40);
      expect(await scene.queue.ready()).toBe(40);
      expect(await scene.queue.open(A)).toBe(40);
      expect(await scene.queue.open(B)).toBe(0);
    });

    test('has its jobs taken in their order, over several bulks', async () => {
      const order = chunks(2_050).toReversed();
      await scene.queue.enqueue(A, order, ANY);
      const begun = await scene.taken(order.length);
      expect(begun).toEqual(order.map((job) => [A, job]));
    });

    test('does not wait behind a big run with a small one', async () => {
      await scene.queue.enqueue(A, chunks(5_000), ANY);
      await scene.queue.enqueue(B, chunks(10), ANY);
      const begun = await scene.taken(25);
      const ofB = begun.flatMap(([place, { chunk }], i) => (place.run === B.run ? [{ chunk, i }] : []));
      expect(ofB.map(({ chunk }) => chunk)).toEqual(chunks(10).map(({ chunk }) => chunk));
      expect(ofB.at(-1)!.i).toBeLessThan(21);
    });

    test('takes turns with one that has been going on for a while', async () => {
      await scene.queue.enqueue(A, chunks(400), ANY);
      const runs: string[] = [];
      const { promise, resolve } = Promise.withResolvers<void>();
      scene.start({
        async chunk({ run }, { chunk }) {
          runs.push(run);
          if (run === A.run && chunk === 200) await scene.queue.enqueue(B, chunks(400), ANY);
          if (runs.length === 301) resolve();
        },
      });
      await promise;
      const ofB = runs.slice(201, 301).filter((run) => run === B.run).length;
      expect(ofB).toBeGreaterThan(45);
      expect(ofB).toBeLessThan(55);
    });

    test('waits while too many jobs wait, says why, and goes on', async () => {
      await scene.queue.enqueue(A, chunks(5), ANY);
      const reasons: string[] = [];
      const waits = Promise.withResolvers<void>();
      const onWait = (reason: string) => {
        reasons.push(reason);
        waits.resolve();
      };
      const adding = scene.queue.enqueue(B, chunks(3), { maxBacklog: 5, onWait });
      await waits.promise;
      expect(reasons[0]).toBe('5 jobs wait already (the limit is 5)');
      expect(await scene.queue.open(B)).toBe(0);
      await scene.queue.forget(A);
      await adding;
      expect(await scene.queue.waiting()).toBe(3);
    });

    test('waits while Redis is short of memory, says why, and goes on', async () => {
      const waits = Promise.withResolvers<string>();
      await scene.redis.config('SET', 'maxmemory', Math.round((await scene.usedBytes()) / 0.9));
      const adding = scene.queue.enqueue(A, chunks(3), { ...ANY, onWait: waits.resolve });
      expect(await waits.promise).toMatch(
        /^Redis has 9\d % of its memory in use \(work is added below 70 %\)$/,
      );
      expect(await scene.queue.open(A)).toBe(0);
      await scene.redis.config('SET', 'maxmemory', 0);
      await adding;
      expect(await scene.queue.waiting()).toBe(3);
    });

    test('stops waiting when it is told to, with the reason it was told', async () => {
      await scene.queue.enqueue(A, chunks(5), ANY);
      const stop = new AbortController();
      const reason = new FilterscopeError('interrupted', 'interrupted');
      const adding = scene.queue.enqueue(B, chunks(3), {
        maxBacklog: 5,
        onWait: () => stop.abort(reason),
        signal: stop.signal,
      });
      await expect(adding).rejects.toBe(reason);
      expect(await scene.queue.open(B)).toBe(0);
    });

    test('needs few bytes of Redis an image', async () => {
      await scene.queue.enqueue(A, chunks(1), ANY);
      const before = await scene.usedBytes();
      await scene.queue.enqueue(A, chunks(4_000, 1), ANY);
      const bytesPerImage = ((await scene.usedBytes()) - before) / (4_000 * 256);
      console.log(`${bytesPerImage.toFixed(2)} bytes of Redis an image, in 4,000 chunks of 256`);
      expect(bytesPerImage).toBeLessThan(20);
    });
  });

  describe('what gets lost', () => {
    test('jobs that Redis lost are added again, those that are there or done are not', async () => {
      await scene.queue.enqueue(A, [...chunks(4), retryOf(9)], ANY);
      await scene.lose(jobId(A, firstPass(1)));
      await scene.lose(jobId(A, retryOf(9)));
      await scene.queue.settle(A, firstPass(2));
      await scene.lose(jobId(A, firstPass(2)));
      expect(await scene.queue.reconcile()).toBe(2);
      expect(await scene.queue.reconcile()).toBe(0);
      expect(await scene.queue.waiting()).toBe(4);
      const { data } = await scene.redis.hgetall(scene.keyOf(jobId(A, retryOf(9))));
      expect(JSON.parse(data)).toEqual({ v: 1, ...A, chunk: 9, revision: 1, codes: ['poison'] });
    });

    test('completions that nobody was asked for are asked for', async () => {
      await scene.queue.enqueue(A, chunks(1), ANY);
      expect(await scene.queue.settle(A, firstPass(0))).toBe(0);
      await scene.lose(jobId(A, firstPass(0)));
      await scene.queue.reconcile();
      const completed = Promise.withResolvers<RunPlace>();
      scene.start({
        complete(place) {
          completed.resolve(place);
          return Promise.resolve([]);
        },
      });
      expect(await completed.promise).toEqual(A);
      await until(async () => (await scene.queue.mark(A)) === '');
      await scene.queue.reconcile();
      expect(await scene.queue.waiting()).toBe(0);
    });

    test('what somebody else wrote into Redis is left alone', async () => {
      await scene.queue.enqueue(A, chunks(2), ANY);
      await scene.redis.hset(RUNS_KEY, runKey(B), '{', 'x', JSON.stringify(A), '__proto__', 'null');
      await scene.redis.sadd(openKey(runKey(A)), 'no-name', '1/2/a:b', '-1');
      await scene.lose(jobId(A, firstPass(1)));
      expect(await scene.queue.reconcile()).toBe(1);
      expect(await scene.queue.waiting()).toBe(2);
      await scene.queue.forget(A);
      expect(await scene.queue.waiting()).toBe(0);
    });
  });

  describe('the end of a run', () => {
    test('comes when its last job is settled, once', async () => {
      await scene.queue.enqueue(A, chunks(5), ANY);
      const completions: number[] = [];
      scene.start({
        async complete(place) {
          completions.push(await scene.queue.open(place));
          return [];
        },
      });
      await until(async () => (await scene.queue.mark(A)) === '');
      expect(completions).toEqual([0]);
      expect(await scene.redis.exists(openKey(runKey(A)), RUNS_KEY)).toBe(0);
      expect(await scene.redis.keys(`${PREFIX}:journal:*`)).toEqual([]);
    });

    test('settling twice is settling once', async () => {
      await scene.queue.enqueue(A, chunks(3), ANY);
      expect(await scene.queue.settle(A, firstPass(0))).toBe(2);
      expect(await scene.queue.settle(A, firstPass(0))).toBe(2);
    });

    test('does not come before jobs that a retry added meanwhile', async () => {
      await scene.queue.enqueue(A, [retryOf(1)], ANY);
      await scene.queue.finish(A, await scene.queue.mark(A));
      expect(await scene.queue.mark(A)).not.toBe('');
      await scene.lose(jobId(A, retryOf(1)));
      expect(await scene.queue.reconcile()).toBe(1);
    });

    test('does not come before a completion that was asked for while one was in hand', async () => {
      await scene.queue.enqueue(A, [], ANY);
      await scene.queue.enqueueCompletion(A);
      const seen: number[] = [];
      let commits = 0;
      const again = Promise.withResolvers<void>();
      scene.start(
        {
          async complete(place) {
            seen.push(commits);
            if (seen.length > 1) again.resolve();
            else {
              // A retry is added and done by another worker, which asks for the completion.
              await scene.queue.enqueue(place, [retryOf(1)], ANY);
              await scene.lose(jobId(place, retryOf(1)));
              commits = 1;
              await scene.queue.settle(place, retryOf(1));
              await scene.queue.enqueueCompletion(place);
            }
            return [];
          },
        },
        { lockMs: 1_000 },
      );
      await again.promise;
      expect(seen).toEqual([0, 1]);
      await until(async () => (await scene.queue.mark(A)) === '');
    });

    test('adds what is missing where there is something missing', async () => {
      await scene.queue.enqueueCompletion(A);
      const done: ChunkJob[] = [];
      scene.start({
        chunk(_, job) {
          done.push(job);
          return Promise.resolve();
        },
        complete: () =>
          Promise.resolve(chunks(3).filter(({ chunk }) => done.every((job) => job.chunk !== chunk))),
      });
      await until(async () => (await scene.queue.mark(A)) === '');
      expect(done).toEqual(chunks(3));
    });

    test('can be forced: a run is forgotten with its jobs, another is not', async () => {
      await scene.queue.enqueue(A, chunks(1_500), ANY);
      await scene.queue.enqueue(B, chunks(2), ANY);
      await scene.queue.enqueueCompletion(A);
      await scene.queue.forget(A);
      expect(await scene.queue.waiting()).toBe(2);
      expect([await scene.queue.open(A), await scene.queue.open(B)]).toEqual([0, 2]);
      expect([await scene.queue.mark(A), await scene.queue.mark(B)]).toEqual([
        '',
        expect.stringContaining(B.run),
      ]);
      expect(await scene.redis.keys(`${PREFIX}:${QUEUE}:${runKey(A)}*`)).toEqual([]);
    });
  });

  test('workers tell of themselves until they withdraw; what is no report is passed over', async () => {
    const report: WorkerReport = {
      worker: 'host-1-abc',
      host: 'host',
      pid: 1,
      engine: 'stub 1',
      threads: 2,
      imagesPerSecond: 1,
      busyShare: 0.5,
      runs: [A.run],
      startedAt: new Date().toISOString(),
      reportedAt: new Date().toISOString(),
    };
    await sendReport(scene.redis, report);
    await sendReport(scene.redis, { ...report, worker: 'host-2-abc' });
    await scene.redis.set(`${PREFIX}:worker:host-2-abc`, '{');
    await scene.redis.zadd(`${PREFIX}:workers`, Date.now(), 'gone');
    expect(await readReports(scene.redis)).toEqual([report]);
    await withdrawReport(scene.redis, report.worker);
    expect(await readReports(scene.redis)).toEqual([]);
  });

  test('a password that is wrong is in no error', async () => {
    await scene.redis.config('SET', 'requirepass', 'right');
    try {
      const told = Promise.withResolvers<Error>();
      const stranger = connectRedis(scene.server.url.replace('//', '//:wr0ng@'), 'prompt', told.resolve);
      const asked = await stranger.ping().catch((error: unknown) => error);
      for (const error of [asked, await told.promise]) {
        expect(String(error)).toContain('WRONGPASS');
        expect(JSON.stringify(error)).not.toContain('wr0ng');
      }
      stranger.disconnect();
    } finally {
      await scene.redis.config('SET', 'requirepass', '');
    }
  });

  test('names in Redis are those that are written down', () => {
    expect(openKey(runKey(A))).toBe(`{filterscope}:open:${runKey(A)}`);
    expect(nameOf(retryOf(3))).toBe('3/1/poison');
  });
});
