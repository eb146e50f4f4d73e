import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { listCommits } from '@filterscope/runs/commit';
import { readComplete } from '@filterscope/runs/index-document';
import { setFailureLimit } from '@filterscope/runs/failure-limit';
import { chunkCount } from '@filterscope/runs/run-document';
import { completeKey } from '@filterscope/runs/run-keys';
import { readReason, unmarkRun } from '@filterscope/runs/run-mark';
import { upload, useCredentials } from '../support/distributed-run.ts';
import { withScene } from '../support/fault-scene.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { commitsOf } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// Workers give a run up when more of its images fail than allowed.

const s3 = inject('s3')!;
const reason = s3 && inject('ownRedis') ? '' : inject('serversMissing');
if (reason !== '') console.log(`skipped: a limit of failures for workers needs Redis and S3 (${reason})`);

const newFolder = temporaryFolders();
const { signal } = new AbortController();
const BROKEN = 20;
const LIMIT = 3;
let dataset: string;

describe.skipIf(reason !== '')('workers and --max-failures', { timeout: 90_000 }, () => {
  beforeAll(async () => {
    useCredentials(s3);
    const folder = await newFolder();
    await writePhotos(folder, 40);
    for (let i = 0; i < BROKEN; i++) await writeDated(join(folder, `broken ${i}.jpg`), `no picture ${i}`);
    dataset = `s3://${s3.bucket}/failing-${randomUUID()}`;
    await upload(folder, dataset, s3.endpoint);
  });

  test('they stop within the chunks in hand, whoever of them sees it, and nothing is left in the queue', async () => {
    await withScene({ s3, dataset }, async ({ run: { output, document }, distributed, start }) => {
      const { run } = document;
      const failed = async () =>
        (await commitsOf(output, run)).reduce((sum, commit) => sum + commit.failed, 0);
      const { queue, until } = distributed;
      const left = async () => (await queue.waiting()) + (await queue.open({ output: output.url, run }));
      const emptyQueue = () => until('an empty queue', async () => (await left()) === 0);
      await setFailureLimit(output, run, LIMIT, signal);
      const workers = [start(), start()];
      await until('the end', async () => (await readReason(output, run, 'failed')) !== undefined);
      await emptyQueue();
      for (const worker of workers) expect(await worker.kill('SIGTERM')).toBe(0);
      // A job that comes late, as from a producer that was still adding some, is not carried out.
      const before = await listCommits(output, run);
      await distributed.enqueueOpen();
      start();
      await emptyQueue();
      expect(await listCommits(output, run)).toEqual(before);
      expect(await readReason(output, run, 'failed')).toMatch(
        /^\d+ images failed, more than --max-failures allows \(3\)/,
      );
      expect(await failed()).toBeGreaterThan(LIMIT);
      // Two workers hold four chunks of four images.
      expect(await failed()).toBeLessThanOrEqual(LIMIT + 4 * 4);
      expect((await commitsOf(output, run)).length).toBeLessThan(chunkCount(document));
      expect(await readComplete(output, run)).toBeUndefined();
    });
  });

  test('a run whose last commits nobody counted is given up instead of completed, and completed once more may fail', async () => {
    await withScene({ s3, dataset }, async ({ run: { output, document }, distributed, start }) => {
      const { run } = document;
      const place = { output: output.url, run };
      start();
      await distributed.complete();
      await distributed.until('crops', async () => (await distributed.queue.mark(place)) === '');
      await output.delete([completeKey(run)]);
      await setFailureLimit(output, run, LIMIT, signal);
      await distributed.queue.enqueueCompletion(place);
      await distributed.until('the end', async () => (await readReason(output, run, 'failed')) !== undefined);
      expect(await readComplete(output, run)).toBeUndefined();
      await setFailureLimit(output, run, BROKEN, signal);
      await unmarkRun(output, run);
      await distributed.queue.enqueueCompletion(place);
      expect(await distributed.complete()).toMatchObject({ ok: 40, failed: BROKEN });
    });
  });
});
