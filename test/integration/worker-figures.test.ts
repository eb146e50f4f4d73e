import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { STAGES } from '@filterscope/runs/stopwatch';
import { chunkCount } from '@filterscope/runs/run-document';
import { upload, useCredentials } from '../support/distributed-run.ts';
import { withScene } from '../support/fault-scene.ts';
import { figuresUrl, readFigures } from '../support/worker-figures.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// What a worker says of itself: /metrics, /healthz, /readyz.

const s3 = inject('s3')!;
const reason = s3 && inject('ownRedis') ? '' : inject('serversMissing');
if (reason !== '') console.log(`skipped: a worker's figures need Redis and S3 (${reason})`);

const newFolder = temporaryFolders();
const PHOTOS = 20;
let dataset: string;

describe.skipIf(reason !== '')('a worker', { timeout: 90_000 }, () => {
  beforeAll(async () => {
    useCredentials(s3);
    const folder = await newFolder();
    await writePhotos(folder, PHOTOS);
    await writeDated(join(folder, 'broken.jpg'), 'no picture');
    await writeDated(join(folder, 'notes.txt'), 'no picture either');
    dataset = `s3://${s3.bucket}/figures-${randomUUID()}`;
    await upload(folder, dataset, s3.endpoint);
  });

  test('counts its images and chunks, the seconds of each stage, and how busy its engine is', async () => {
    await withScene({ s3, dataset }, async ({ run, distributed, start }) => {
      const begun = performance.now();
      const worker = start({ health: true, imageMs: 50 });
      await distributed.complete();
      const now = async () => readFigures(await figuresUrl(worker));
      // Completion is followed by the pictures for crops.
      await distributed.until('nothing in hand', async () => (await now())('jobs_active') === 0);
      const figure = await now();
      const elapsed = (performance.now() - begun) / 1000;
      expect(figure('images_total', { status: 'ok' })).toBe(PHOTOS);
      expect(figure('images_total', { status: 'failed' })).toBe(1);
      expect(figure('images_total', { status: 'skipped' })).toBe(1);
      expect(figure('chunks_total', { outcome: 'committed' })).toBe(chunkCount(run.document));
      for (const stage of STAGES) expect(figure('stage_seconds_total', { stage }), stage).toBeGreaterThan(0);
      expect(figure('engine_units')).toBe(2);
      // Twenty images of 50 ms each.
      expect(figure('engine_busy_seconds')).toBeGreaterThan(0.9);
      expect(figure('engine_busy_seconds') / figure('engine_units') / elapsed).toBeLessThan(1);
      expect(figure('queue_waiting')).toBe(0);
      expect(figure('jobs_retried_total')).toBe(0);
      expect(figure('jobs_stalled_total')).toBe(0);
    });
  });

  test('ends itself when it has lost what computes, and spoils nothing for another', async () => {
    await withScene({ s3, dataset }, async ({ distributed, start }) => {
      const lost = start({ lostEngine: true });
      expect(await lost.exit).toBe(1);
      expect(lost.log().some(({ disposition }) => disposition === 'give-up')).toBe(false);
      start();
      expect(await distributed.complete()).toMatchObject({ ok: PHOTOS, failed: 1 });
    });
  });

  test('counts what waits and what it has in hand, jobs that are put off, and jobs whose worker died', async () => {
    await withScene({ s3, dataset }, async ({ run, distributed, s3: proxy, start }) => {
      const dead = start({ imageMs: 400 });
      await distributed.until('work in hand', async () => dead.log().some(({ msg }) => msg === 'chunk'));
      await dead.kill();

      proxy.decide(() => ({ status: 503, code: 'ServiceUnavailable' }));
      const worker = start({ health: true });
      const url = await figuresUrl(worker);
      const figure = async (name: string, labels = {}) => (await readFigures(url))(name, labels);
      expect(await figure('queue_waiting')).toBeGreaterThan(0);
      await distributed.until('work in hand', async () => (await figure('jobs_active')) === 2);
      const putOff = { disposition: 'later' };
      await distributed.until(
        'a job that is put off',
        async () => (await figure('jobs_retried_total', putOff)) > 0,
      );
      proxy.heal();
      await distributed.until(
        'a job of the dead worker',
        async () => (await figure('jobs_stalled_total')) > 0,
      );
      await distributed.complete();
      await distributed.until('nothing waiting', async () => (await figure('queue_waiting')) === 0);
      const committed = await figure('chunks_total', { outcome: 'committed' });
      expect(committed).toBeGreaterThan(0);
      expect(committed).toBeLessThan(chunkCount(run.document)); // the dead one had done some
    });
  });

  test('is ready while Redis answers and it takes work, and healthy as long as it works', async () => {
    await withScene({ s3, dataset }, async ({ distributed, redis, start }) => {
      const worker = start({ health: true, imageMs: 500 });
      const url = await figuresUrl(worker);
      const ready = (status: number) => answers(`${url}/readyz`, status);
      await ready(200);
      await redis.kill();
      await ready(503);
      expect(await statusOf(`${url}/healthz`)).toBe(200);
      const figure = await readFigures(url); // without waiting for Redis
      expect(figure('queue_waiting')).toBeNaN();
      expect(figure('engine_units')).toBe(2);
      await redis.restart();
      await ready(200);

      await distributed.until('work in hand', async () => (await readFigures(url))('jobs_active') > 0);
      worker.child.kill('SIGTERM');
      await ready(503); // while it finishes what it has in hand
      expect(await statusOf(`${url}/healthz`)).toBe(200);
      expect(await worker.exit).toBe(0);
    });
  });

  test('answers questions only, and only those', async () => {
    await withScene({ s3, dataset }, async ({ start }) => {
      const url = await figuresUrl(start({ health: true }));
      expect(await statusOf(`${url}/`)).toBe(404);
      expect(await statusOf(`${url}/metrics`, 'HEAD')).toBe(200);
      expect(await statusOf(`${url}/metrics`, 'POST')).toBe(405);
    });
  });
});

async function statusOf(url: string, method = 'GET'): Promise<number> {
  return (await fetch(url, { method })).status;
}

/** Waits until it is answered so. */
const answers = (url: string, status: number) =>
  expect.poll(() => statusOf(url), { timeout: 20_000 }).toBe(status);
