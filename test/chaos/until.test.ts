import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { completeRun } from '@filterscope/runs/complete-run';
import type { IndexDocument } from '@filterscope/runs/index-document';
import { readPrecision, type PrecisionReached } from '@filterscope/runs/precision';
import { runChunks } from '@filterscope/runs/run-chunks';
import { chunkCount } from '@filterscope/runs/run-document';
import { commitKey, precisionKey } from '@filterscope/runs/run-keys';
import { readRunStatus } from '@filterscope/runs/run-status';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { makeTinyImages } from '../scale/tiny-images.ts';
import { distributedRun, startStubWorker, type StubWorker } from '../support/distributed-run.ts';
import { dyingStore, failingStore, type PutFate } from '../support/failing-store.ts';
import { FIRST_LAYER, plannedRun, type PlannedRun } from '../support/planned-run.ts';
import { startRedis, type OwnRedis } from '../support/servers/start-redis.ts';
import { writeDated } from '../support/sample-photos.ts';
import { readStoredRun, type StoredRun } from '../support/stored-run.ts';
import { createStubEngine } from '../support/stub-engine.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// A run over 2,602 images that has enough of them at its second look.

const IMAGES = 2600;
const ROWS = IMAGES + 2;
const STOP = 2048;
const FULL = process.env['FILTERSCOPE_TEST'] === 'full';
/** In the short tests, the first case of several. */
const often = <Case>(cases: Case[]): Case[] => (FULL ? cases : cases.slice(0, 1));
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const newFolder = temporaryFolders();
let images: string;
let undisturbed: StoredRun;
let run: string;
beforeAll(async () => {
  images = await newFolder();
  await makeTinyImages(images, IMAGES, { size: 256 });
  await writeDated(join(images, 'broken.png'), 'no picture');
  await writeDated(join(images, 'notes.txt'), 'no picture either');
  const planned = await plan(256);
  run = planned.document.run;
  const { index, reached } = await carryOut(planned);
  expect(reached).toMatchObject({ row: STOP, look: 2 });
  expect(index).toMatchObject({ images: ROWS, stoppedAt: STOP });
  undisturbed = await readStoredRun(planned.output, run);
});

const plan = async (chunkSize: number, output?: string) =>
  plannedRun(images, output ?? (await newFolder()), {
    chunkSize,
    until: { halfWidth: 0.03, of: 'all' },
    grids: 'none',
    gridStyle: null,
    gridFormat: null,
  });

async function carryOut(
  { document, dataset, output }: PlannedRun,
  { store = output, firstChunk = 0 }: { store?: ObjectStore; firstChunk?: number } = {},
): Promise<{ index: IndexDocument; reached: PrecisionReached | undefined }> {
  const { signal } = new AbortController();
  const engine = createStubEngine(FIRST_LAYER);
  const reached = await runChunks({ document, dataset, output: store, engine, firstChunk, signal });
  return { index: (await completeRun(document, store))!, reached };
}

const stored = ({ output }: PlannedRun) => readStoredRun(output, run);

test('every row has its end: those before the stop are looked at, those from there on are not', () => {
  expect(undisturbed.images.map(({ row }) => row)).toEqual(Array.from({ length: ROWS }, (_, i) => i));
  for (const { row, status, code } of undisturbed.images) {
    if (Number(row) >= STOP) expect([status, code]).toEqual(['skipped', 'precision-reached']);
    else expect(code).not.toBe('precision-reached');
  }
  const ok = undisturbed.images.filter(({ status }) => status === 'ok');
  expect(undisturbed.readings).toHaveLength(ok.length);
  for (const row of undisturbed.layers) expect(row).toMatchObject({ images: ok.length });
});

test.each(
  often([
    [32, 5],
    [128, 0],
    [1024, 1],
  ]),
)('chunks of %i, begun at %i: the same stop and the same tables', async (chunkSize, firstChunk) => {
  const planned = await plan(chunkSize);
  expect(planned.document.run).toBe(run);
  await carryOut(planned, { firstChunk });
  expect(await stored(planned)).toEqual(undisturbed);
  const status = await readRunStatus(planned.output, run);
  const chunks = STOP / chunkSize;
  expect(status).toMatchObject({
    state: 'complete',
    stoppedAt: STOP,
    chunks,
    committed: chunks,
    images: ROWS,
  });
  expect(status.ok + status.failed + status.skipped).toBe(ROWS);
});

test('whatever was computed beyond the stop does not count', async () => {
  const planned = await plan(256);
  const all = { ...planned.document, settings: { ...planned.document.settings, until: null } };
  await carryOut({ ...planned, document: all });
  const { reached } = await carryOut(planned);
  expect(reached?.row).toBe(STOP);
  expect(await stored(planned)).toEqual(undisturbed);
});

const isDecision = (key: string) => key === precisionKey(run);

describe('a process dies', () => {
  test.each(
    often<[string, (key: string) => boolean, PutFate]>([
      ['with the commit that completes a look', (key) => key === commitKey(run, 7, 0), 'answer-lost'],
      ['before it says that it stops', isDecision, 'refused'],
      ['once it has said that it stops', isDecision, 'answer-lost'],
      ['with its tables half written', (key) => key.startsWith('index/images'), 'answer-lost'],
    ]),
  )('%s: the same command ends with the same tables', async (_, isIt, fate) => {
    const planned = await plan(256);
    let died = false;
    const store = failingStore(planned.output, (_put, key) => {
      if (died) return 'refused';
      died = isIt(key);
      return died ? fate : 'stored';
    });
    await expect(carryOut(planned, { store })).rejects.toThrow();
    expect(died).toBe(true);
    await carryOut(planned);
    expect(await stored(planned)).toEqual(undisturbed);
  });

  test.runIf(FULL)('at any put: the same tables', async () => {
    const planned = await plan(256);
    for (let lastPut = 3; ; lastPut += 11) {
      const { index } = await carryOut(planned, { store: dyingStore(planned.output, lastPut) }).catch(() => ({
        index: undefined,
      }));
      if (index) break;
    }
    expect(await stored(planned)).toEqual(undisturbed);
  });
});

test('a run that never gets there looks at all images, and its intervals are those of repeated looks', async () => {
  const planned = await plannedRun(images, await newFolder(), {
    chunkSize: 256,
    until: { halfWidth: 0.0001, of: 'layers' },
    grids: 'none',
    gridStyle: null,
    gridFormat: null,
  });
  const { index, reached } = await carryOut(planned);
  expect(reached).toBeUndefined();
  expect(index).toMatchObject({ images: ROWS, skipped: 1, failed: 1, ok: IMAGES, stoppedAt: null });
  expect(await readPrecision(planned.document, planned.output)).toBeUndefined();
  const { layers } = await readStoredRun(planned.output, planned.document.run);
  const [{ zeroShareLow, zeroShareHigh }] = layers as Record<string, number>[];
  const once = await plannedRun(images, await newFolder(), {
    chunkSize: 256,
    grids: 'none',
    gridStyle: null,
    gridFormat: null,
  });
  await carryOut(once);
  const [narrow] = (await readStoredRun(once.output, once.document.run)).layers as Record<string, number>[];
  const error = (narrow['zeroShareHigh'] - narrow['zeroShareLow']) / 2 / 1.959964;
  // u = 2600 × 0.001937538 = 5.037598; z = √(2 × 6.037598/5.037598 × ln(√6.037598 / 0.05)) = 3.055444; 10 images may be unlike all these
  expect(zeroShareHigh - zeroShareLow).toBeCloseTo(2 * 3.055444 * error + 10 / IMAGES, 7);
});

const reason = inject('ownRedis') ? undefined : inject('serversMissing');
if (reason !== undefined) console.log(`skipped: workers stop early: ${reason}`);

describe.skipIf(reason !== undefined)('workers', () => {
  let redis: OwnRedis;
  const workers: StubWorker[] = [];
  beforeAll(async () => {
    redis = await startRedis({ appendOnly: false });
  });
  afterAll(async () => {
    for (const { child } of workers) child.kill('SIGKILL');
    await redis.stop();
  });
  const start = () => {
    const worker = startStubWorker({ redisUrl: redis.url, imageMs: 1, lockMs: 2_000 });
    workers.push(worker);
    return worker;
  };

  test('stop by themselves, without a look at most of what is left', async () => {
    const planned = await plan(32);
    await using job = distributedRun(planned.document, planned.output, redis.url, () => workers);
    await job.enqueueOpen();
    const own = [start(), start()];
    expect((await job.complete()).stoppedAt).toBe(STOP);
    expect(await stored(planned)).toEqual(undisturbed);
    const outcomes = own.flatMap((worker) => worker.log()).map(({ outcome }) => outcome);
    const beyond = chunkCount(planned.document) - STOP / 32;
    // Two workers have two chunks each in hand when it is decided.
    const dropped = outcomes.filter((outcome) => outcome === 'not-needed').length;
    expect(dropped).toBeGreaterThanOrEqual(beyond - 4);
    await Promise.all(own.map((worker) => worker.kill('SIGTERM')));
  });

  test('stop by themselves where others were killed', async () => {
    const planned = await plan(32);
    await using job = distributedRun(planned.document, planned.output, redis.url, () => workers);
    await job.enqueueOpen();
    for (const commits of [10, 50, STOP / 32 - 1]) {
      const killed = start();
      await job.committed(commits);
      await killed.kill();
    }
    start();
    expect((await job.complete()).stoppedAt).toBe(STOP);
    expect(await stored(planned)).toEqual(undisturbed);
  });
});
