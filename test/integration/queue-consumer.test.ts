import { setTimeout } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { jobId } from '@filterscope/queue/job';
import { connectRedis, journalKey } from '@filterscope/queue/redis';
import { startRedis } from '../support/servers/start-redis.ts';
import { chunks, firstPass, placeOf, queueScene, until } from '../support/queue-scene.ts';

const missing = inject('ownRedis') ? '' : inject('serversMissing');
if (missing !== '') console.log(`skipped: the consumer needs a Redis of its own (${missing})`);

const ANY = { maxBacklog: 1e6 };
const A = placeOf('a');
const B = placeOf('b');

describe.skipIf(missing !== '')('a consumer', () => {
  const scene = queueScene();

  describe('an error', () => {
    test('that will pass: later, as often as it takes', async () => {
      await scene.queue.enqueue(A, chunks(1), ANY);
      const starts: number[] = [];
      const done = Promise.withResolvers<void>();
      scene.start({
        chunk(_place, _job, context) {
          starts.push(context.start);
          if (starts.length === 8) done.resolve();
          else throw new FilterscopeError('store-unavailable', 'away', { class: 'transient' });
          return Promise.resolve();
        },
      });
      scene.hurry();
      await done.promise;
      await until(async () => (await scene.queue.mark(A)) === '');
      expect(starts).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
      expect(scene.errors.map(({ disposition }) => disposition)).toEqual(
        Array.from({ length: 7 }, () => 'later'),
      );
      expect(
        scene.errors.every(({ againMs }, i) => againMs! >= 0.75 * Math.min(1_000 * 2 ** i, 60_000)),
      ).toBe(true);
    });

    test('that nobody knows: five attempts, then given up with its reason', async () => {
      await scene.queue.enqueue(A, chunks(1), ANY);
      scene.hurry();
      scene.start({
        chunk: () => Promise.reject(new Error('who knows')),
      });
      await until(async () => (await scene.queue.givenUp(A)).length > 0);
      expect(scene.errors.map(({ disposition }) => disposition)).toEqual(
        Array.from({ length: 5 }, () => 'count'),
      );
      expect(await scene.queue.givenUp(A)).toEqual([{ chunk: 0, reason: 'who knows' }]);
      expect(await scene.queue.open(A)).toBe(1);
    });

    test('that will not pass: given up at once, until it is enqueued again', async () => {
      await scene.queue.enqueue(A, chunks(3), ANY);
      await scene.queue.enqueue(B, chunks(1), ANY);
      let broken = true;
      scene.start({
        chunk({ run }, { chunk }) {
          if (broken && run === A.run && chunk > 0)
            throw new FilterscopeError('broken-object', `no part ${chunk}`);
          return Promise.resolve();
        },
      });
      await until(async () => (await scene.queue.givenUp(A)).length === 2);
      expect(await scene.queue.givenUp(A)).toEqual([
        { chunk: 1, reason: 'no part 1' },
        { chunk: 2, reason: 'no part 2' },
      ]);
      expect(await scene.queue.givenUp(B)).toEqual([]);
      expect(scene.errors).toHaveLength(2);
      expect(await scene.queue.reconcile()).toBe(0);
      broken = false;
      await scene.queue.enqueue(A, chunks(2, 1), ANY);
      await until(async () => (await scene.queue.mark(A)) === '');
      expect(await scene.queue.givenUp(A)).toEqual([]);
    });

    test('of thousands of chunks of another run hides none', async () => {
      await scene.queue.enqueue(A, chunks(1), ANY);
      await scene.queue.enqueue(B, chunks(1_200), ANY);
      const consumer = scene.start(
        { chunk: () => Promise.reject(new FilterscopeError('broken-object', 'no')) },
        { concurrency: 20 },
      );
      await until(async () => (await scene.queue.waiting()) === 0);
      await until(async () => (await scene.queue.givenUp(B)).length === 1_200);
      expect(await scene.queue.givenUp(A)).toEqual([{ chunk: 0, reason: 'no' }]);
      await consumer.stop(0);
      await scene.queue.enqueue(B, chunks(1_200), ANY);
      expect(await scene.queue.waiting()).toBe(1_200);
      expect(await scene.queue.givenUp(A)).toHaveLength(1);
    });

    test('of a completion is kept and shown, until somebody says `resume`', async () => {
      await scene.queue.enqueueCompletion(A);
      let lost = true;
      scene.start({
        complete() {
          if (lost) throw new FilterscopeError('rows-lost', '3 rows are missing');
          return Promise.resolve([]);
        },
      });
      await until(async () => (await scene.queue.givenUp(A)).length > 0);
      expect(await scene.queue.givenUp(A)).toEqual([{ chunk: null, reason: '3 rows are missing' }]);
      await scene.queue.reconcile();
      expect(await scene.queue.waiting()).toBe(0);
      lost = false;
      await scene.queue.enqueue(A, [], ANY);
      await scene.queue.enqueueCompletion(A);
      await until(async () => (await scene.queue.mark(A)) === '');
      expect(scene.errors.map(({ disposition }) => disposition)).toEqual(['give-up']);
    });

    test('that says that the run has ended: the job is dropped, the run forgotten', async () => {
      await scene.queue.enqueue(A, chunks(50), ANY);
      await scene.queue.enqueue(B, chunks(3), ANY);
      const begun: string[] = [];
      scene.start({
        chunk({ run }) {
          begun.push(run);
          if (run === A.run) throw new FilterscopeError('run-cancelled', 'cancelled');
          return Promise.resolve();
        },
      });
      await until(async () => (await scene.queue.mark(B)) === '');
      expect(begun.filter((run) => run === A.run)).toHaveLength(1);
      expect(scene.errors.map(({ disposition }) => disposition)).toEqual(['drop']);
      expect([await scene.queue.waiting(), await scene.queue.open(A)]).toEqual([0, 0]);
      expect(await scene.queue.givenUp(A)).toEqual([]);
      expect(await scene.queue.reconcile()).toBe(0);
    });

    test.each([
      ['another output', { output: 'file:///data/%2e%2e/etc' }],
      ['a chunk that is none', { chunk: '7' }],
      ['a later version', { v: 2 }],
    ])('in a job, %s: no handler sees it', async (_, change) => {
      await scene.queue.enqueue(A, chunks(1), ANY);
      const id = jobId(A, firstPass(0));
      const { data } = await scene.redis.hgetall(scene.keyOf(id));
      const changedData = JSON.stringify({ ...(JSON.parse(data) as object), ...change });
      await scene.redis.hset(scene.keyOf(id), 'data', changedData);
      let begun = 0;
      scene.start({
        chunk() {
          begun += 1;
          return Promise.resolve();
        },
      });
      await until(async () => (await scene.queue.givenUp(A)).length > 0);
      expect(begun).toBe(0);
      const [{ reason }] = await scene.queue.givenUp(A);
      expect(reason).toContain(Object.keys(change)[0]);
    });
  });

  describe('a consumer that is told to stop', () => {
    test('hands back what it has in hand, and uses no attempt up', async () => {
      await scene.queue.enqueue(A, chunks(2), ANY);
      const begun = Promise.withResolvers<void>();
      const consumer = scene.start({
        async chunk(_place, _job, { signal }) {
          begun.resolve();
          await setTimeout(60_000, undefined, { signal });
        },
      });
      await begun.promise;
      expect(consumer.active()).toBe(1);
      await consumer.stop(0);
      expect(consumer.active()).toBe(0);
      expect(scene.errors.map(({ disposition }) => disposition)).toEqual(['hand-back']);
      expect(await scene.queue.ready()).toBe(2);
      expect(await scene.taken(2)).toEqual(chunks(2).map((job) => [A, job]));
    });

    test('finishes what it has in hand within its grace, and takes nothing new', async () => {
      await scene.queue.enqueue(A, chunks(2), ANY);
      const begun = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const consumer = scene.start({
        async chunk() {
          begun.resolve();
          await goOn.promise;
        },
      });
      await begun.promise;
      const stopped = consumer.stop(60_000);
      goOn.resolve();
      await stopped;
      expect(scene.errors).toEqual([]);
      expect([await scene.queue.open(A), await scene.queue.ready()]).toEqual([1, 1]);
    });

    test('does not wait for memory with a completion in hand', async () => {
      await scene.queue.enqueueCompletion(A);
      const begun = Promise.withResolvers<void>();
      const consumer = scene.start({
        async complete() {
          await scene.redis.config('SET', 'maxmemory', Math.round((await scene.usedBytes()) / 0.8));
          begun.resolve();
          return chunks(1);
        },
      });
      await begun.promise;
      await consumer.stop(0);
      await scene.redis.config('SET', 'maxmemory', 0);
      expect(scene.errors.map(({ disposition }) => disposition)).toEqual(['hand-back']);
      expect(await scene.queue.ready()).toBe(1);
    });

    test('does not wait for a Redis that is gone', async () => {
      await using other = await startRedis({ appendOnly: false });
      const patient = connectRedis(other.url, 'patient', () => undefined);
      const quick = connectRedis(other.url, 'hasty', () => undefined);
      const begun = Promise.withResolvers<void>();
      const consumer = scene.start(
        {
          async chunk(_place, _job, { signal }) {
            begun.resolve();
            await setTimeout(60_000, undefined, { signal });
          },
        },
        { redis: patient, journalRedis: quick },
      );
      await consumer.queue.enqueue(A, chunks(1), ANY);
      await begun.promise;
      await other.kill();
      await consumer.stop(100);
      expect(scene.errors.map(({ disposition }) => disposition)).toEqual(['hand-back']);
      patient.disconnect();
      quick.disconnect();
    });
  });

  test('a journal goes with its chunk', async () => {
    await scene.queue.enqueue(A, chunks(1), ANY);
    const key = journalKey(jobId(A, firstPass(0)));
    await scene.redis.hset(key, 'dead/7', '', 'dead/8', '', 'deader/7', '');
    const suspected = Promise.withResolvers<ReadonlyMap<number, number>>();
    scene.start({
      async chunk(_place, _job, { journal }) {
        await journal.takeUp(9);
        suspected.resolve(await journal.suspects());
        await journal.acquit(8);
        expect(await scene.redis.hlen(key)).toBe(3);
      },
    });
    expect(await suspected.promise).toEqual(
      new Map([
        [7, 2],
        [8, 1],
      ]),
    );
    await until(async () => (await scene.queue.mark(A)) === '');
    expect(await scene.redis.exists(key)).toBe(0);
  });
});
