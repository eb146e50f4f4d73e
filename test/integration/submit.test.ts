import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { readComplete } from '@filterscope/runs/index-document';
import type { Summary } from '../support/answers.ts';
import { logged, openCommandScene, type CommandScene } from '../support/command-scene.ts';
import { upload, useCredentials } from '../support/distributed-run.ts';
import { askJson, type Running } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { readStoredRun, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// Producers that are killed, and producers that are two.

const s3 = inject('s3')!;
const reason = s3 && inject('ownRedis') ? '' : inject('serversMissing');
if (reason !== '') console.log(`skipped: submit needs Redis and S3 (${reason})`);

const newFolder = temporaryFolders();
const CHUNKS = 6;
let submit: string[];
let id: string;
/** What `analyze` makes of it. */
let undisturbed: StoredRun;

describe.skipIf(reason !== '')('submit', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    useCredentials(s3);
    const folder = await newFolder();
    await writePhotos(folder, 11);
    await writeDated(join(folder, 'broken.jpg'), 'no picture');
    const dataset = `s3://${s3.bucket}/submitted-${randomUUID()}`;
    await upload(folder, dataset, s3.endpoint);
    const weights = await writeSmallWeights(await newFolder());
    const settings = ['--weights', weights, '--layers', 'block1_conv1', '--chunk-size', '2'];
    submit = ['submit', dataset, ...settings];
    const output = await newFolder();
    const environment = { AWS_ENDPOINT_URL_S3: s3.endpoint };
    const analyze = ['analyze', dataset, ...settings, '-o', output];
    ({ run: id } = await askJson<Summary>(analyze, 3, { environment }));
    undisturbed = await readStoredRun(output, id);
  });

  test('two at once are one run, whose chunks are in the queue once', async () => {
    await using scene = await openCommandScene(s3);
    const both = await Promise.all([scene.run(submit), scene.run(submit)]);
    expect(both.map(({ stdout }) => stdout)).toEqual([`${id}\n`, `${id}\n`]);
    await expectCarriedOut(scene);
  });

  test('killed at whatever it does in the store, and again, and again: the same command goes on', async () => {
    await using scene = await openCommandScene(s3);
    let running: Running;
    let requests = 0;
    let killed = 0;
    scene.s3.decide(() => {
      requests += 1;
      // Each submit gets two requests further; what it asked for last is carried out or not.
      if (requests < 2 + 2 * killed || running.child.killed) return 'pass';
      killed += 1;
      running.child.kill('SIGKILL');
      return killed % 2 === 0 ? 'reset-after' : { status: 503, code: 'SlowDown' };
    });
    for (let finished = false; !finished;) {
      requests = 0;
      running = scene.start([...submit, '-o', scene.output.url]);
      const { code, signal } = await running.finished;
      if (signal === null) expect(code).toBe(0);
      finished = signal === null;
    }
    expect(killed).toBeGreaterThan(3);
    scene.s3.heal();
    await expectCarriedOut(scene);
  });
});

/** Lets a worker carry it out and expects that each chunk was done once. */
async function expectCarriedOut(scene: CommandScene): Promise<void> {
  const worker = scene.startWorker();
  await scene.until('completion', async () => (await readComplete(scene.output, id)) !== undefined);
  worker.child.kill('SIGTERM');
  await worker.finished;
  const chunks = logged(worker).filter(({ msg }) => msg === 'chunk');
  expect(chunks.map(({ outcome }) => outcome)).toEqual(Array.from({ length: CHUNKS }, () => 'committed'));
  expect(await readStoredRun(scene.output, id)).toEqual(undisturbed);
}
