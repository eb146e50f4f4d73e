import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { readComplete } from '@filterscope/runs/index-document';
import type { Summary } from '../support/answers.ts';
import { openCommandScene, type CommandScene } from '../support/command-scene.ts';
import { upload, useCredentials } from '../support/distributed-run.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// The requests that `submit --dry-run` announces are those that S3 gets, within a tenth.

const s3 = inject('s3')!;
const reason = s3 && inject('ownRedis') ? '' : inject('serversMissing');
const newFolder = temporaryFolders();

interface Requests {
  readonly get: number;
  readonly put: number;
  readonly list: number;
}

test.skipIf(reason !== '').each([
  ['grids of some images', ['--grids', '4']],
  ['all grids, no readings', ['--grids', 'all', '--grid-style', 'tile', '--readings', 'none']],
])('%s: submit and a worker, and analyze', async (_, chosen) => {
  useCredentials(s3);
  const photos = await newFolder();
  await writePhotos(photos, 39);
  await writeDated(join(photos, 'broken.jpg'), 'no picture');
  const dataset = `s3://${s3.bucket}/requests-${randomUUID()}`;
  await upload(photos, dataset, s3.endpoint);
  const weights = await writeSmallWeights(await newFolder());
  const settings = [
    dataset,
    '--weights',
    weights,
    '--layers',
    'block1_conv1',
    '--chunk-size',
    '8',
    ...chosen,
  ];

  await using distributed = await openCommandScene(s3);
  const requests = await submitAndCarryOut(distributed, settings);

  await using local = await openCommandScene(s3);
  const countedHere = countRequests(local);
  await local.run(['analyze', ...settings], 3);
  expectAbout(countedHere, requests);
});

test.skipIf(reason !== '')('a dataset that grew', async () => {
  useCredentials(s3);
  const photos = await newFolder();
  await writePhotos(photos, 40);
  const dataset = `s3://${s3.bucket}/requests-${randomUUID()}`;
  await upload(photos, dataset, s3.endpoint);
  const weights = await writeSmallWeights(await newFolder());
  const settings = [dataset, '--weights', weights, '--layers', 'block1_conv1', '--chunk-size', '8'];
  await using scene = await openCommandScene(s3);
  await scene.run(['analyze', ...settings, '--grids', 'none']);
  await writePhotos(photos, 50);
  await upload(photos, dataset, s3.endpoint);
  await submitAndCarryOut(scene, [...settings, '--grids', '2']);
});

/** Expects that a run takes the requests that were announced. @returns them */
async function submitAndCarryOut(scene: CommandScene, settings: readonly string[]): Promise<Requests> {
  const { requests } = await scene.ask<{ requests: Requests }>(['submit', ...settings, '--dry-run']);
  const counted = countRequests(scene);
  const { run } = await scene.ask<Summary>(['submit', ...settings]);
  const worker = scene.startWorker();
  await scene.until('completion', async () => (await readComplete(scene.output, run)) !== undefined);
  await scene.until('its crops', () => scene.withCrops(run));
  worker.child.kill('SIGTERM');
  await worker.finished;
  expectAbout(counted, requests);
  return requests;
}

/** Counts from now on, as S3 bills. Deletions are free. */
function countRequests({ s3 }: CommandScene): Requests {
  const counts = { get: 0, put: 0, list: 0 };
  s3.decide(({ method, path }) => {
    if (path.includes('list-type=2')) counts.list += 1;
    else if (method === 'PUT') counts.put += 1;
    else if (method === 'GET' || method === 'HEAD') counts.get += 1;
    return 'pass';
  });
  return counts;
}

function expectAbout(counted: Requests, expected: Requests): void {
  for (const kind of ['get', 'put', 'list'] as const) {
    const off = Math.abs(counted[kind] / expected[kind] - 1);
    expect(off, `${counted[kind]} ${kind}, ${expected[kind]} were expected`).toBeLessThan(0.1);
  }
}
