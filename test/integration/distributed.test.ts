import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readComplete } from '@filterscope/runs/index-document';
import { openManifest } from '@filterscope/runs/manifest';
import { cropsFolder, pictureKey } from '@filterscope/runs/run-keys';
import type { RunStatus } from '@filterscope/runs/run-status';
import { openStore } from '@filterscope/storage/open-store';
import type { ImageAnswer, Summary } from '../support/answers.ts';
import { logged, openCommandScene, type CommandScene } from '../support/command-scene.ts';
import { upload, useCredentials } from '../support/distributed-run.ts';
import { askJson } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { freePorts } from '../support/servers/free-ports.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { readStoredRun, storedPictures, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// The commands of a distributed run, each a process of its own, with the real engine.

const s3 = inject('s3')!;
const reason = s3 && inject('ownRedis') ? '' : inject('serversMissing');
if (reason !== '') console.log(`skipped: the commands of a distributed run need Redis and S3 (${reason})`);

const CHUNK_SIZE = 4;
const CHUNKS = 10;
const ROWS = 40;
/** The chunks before it hold the images that grey scales are measured on. */
const HELD_FROM = 5;

const ALL_CHUNKS = Array.from({ length: CHUNKS }, (_, chunk) => chunk);

const newFolder = temporaryFolders();
let photos: string;
let dataset: string;
let settings: string[];
/** What `analyze` makes of the same dataset. */
let undisturbed: StoredRun;
let undisturbedPictures: Record<string, string>;
let id: string;

const submit = () => ['submit', dataset, ...settings];

/** Holds requests for the images of a chunk and those after it until `open` is called. */
async function gateBefore({ output, s3 }: CommandScene, firstChunk: number) {
  const rows = await openManifest(output, id).read(0, ROWS);
  const chunkOf = new Map(rows.map(({ image }, row) => [image, Math.floor(row / CHUNK_SIZE)]));
  const held = new Set<number>();
  const { promise, resolve } = Promise.withResolvers<'pass'>();
  s3.decide(({ method, path }) => {
    const [, image = ''] = decodeURIComponent(path).split(`${dataset.slice('s3:/'.length)}/`);
    const chunk = chunkOf.get(image.split('?')[0]) ?? -1;
    if (method !== 'GET' || chunk < firstChunk) return 'pass';
    held.add(chunk);
    return promise;
  });
  return { open: () => resolve('pass'), held: () => held.size };
}

describe.skipIf(reason !== '')('the commands of a distributed run', { timeout: 120_000 }, () => {
  beforeAll(async () => {
    useCredentials(s3);
    photos = await newFolder();
    await writePhotos(photos, ROWS - 2);
    await writeDated(join(photos, 'broken.jpg'), 'no picture');
    await writeDated(join(photos, 'notes.txt'), 'no picture either');
    dataset = `s3://${s3.bucket}/photos-${randomUUID()}`;
    await upload(photos, dataset, s3.endpoint);
    const weights = await writeSmallWeights(await newFolder());
    const shallow = ['--weights', weights, '--layers', 'block1_conv1', '--grids', '4'];
    settings = [...shallow, '--chunk-size', String(CHUNK_SIZE)];
    const output = await newFolder();
    const environment = { AWS_ENDPOINT_URL_S3: s3.endpoint };
    const args = ['analyze', dataset, '-o', output, ...settings];
    ({ run: id } = await askJson<Summary>(args, 3, { environment }));
    undisturbed = await readStoredRun(output, id);
    undisturbedPictures = await storedPictures(output, id);
  });

  describe('submit, two workers, watch, status', () => {
    let scene: CommandScene;
    beforeAll(async () => {
      scene = await openCommandScene(s3);
    });
    afterAll(async () => scene[Symbol.asyncDispose]());

    test('submit --dry-run says what would be done and writes nothing', async () => {
      const before = await listed(dataset);
      const plan = await scene.ask<Record<string, number>>([...submit(), '--dry-run']);
      expect(plan).toMatchObject({ run: id, images: ROWS - 1, rows: ROWS, chunks: CHUNKS, jobs: CHUNKS });
      expect(plan['imagesPerSecond']).toBeGreaterThan(0);
      expect(plan['bytes']).toBeGreaterThan(0);
      expect(await scene.keys()).toEqual([]);
      expect(await listed(dataset)).toEqual(before);
    });

    test('submit names the run that analyze names, and adds nothing the second time', async () => {
      const first = await scene.run(submit());
      expect(first.stdout).toBe(`${id}\n`);
      expect(first.stderr).toContain('10 of 10 chunks are in the queue');
      const keys = await scene.keys();
      expect(await scene.ask(submit())).toMatchObject({ run: id, state: 'running', images: ROWS, ok: 0 });
      expect(await scene.keys()).toEqual(keys);
    });

    test('workers carry it out; status shows them, watch ends with the run, Ctrl-C ends watch alone', async () => {
      const gate = await gateBefore(scene, HELD_FROM);
      const workers = [scene.startWorker(), scene.startWorker()];
      const watching = scene.start(['watch', 'latest', '-o', scene.output.url]);
      const looking = scene.start(['watch', id.slice(0, 8), '-o', scene.output.url, '--json']);
      await once(looking.child.stdout!, 'data');
      looking.child.kill('SIGINT');
      const { code, stdout, stderr } = await looking.finished;
      expect(code).toBe(130);
      expect(JSON.parse(stdout.split('\n')[0])).toMatchObject({ run: id, state: 'running' });
      expect(stderr).toContain('The run goes on.');

      await scene.until('two workers at work', async () => {
        const reports = await scene.workers();
        const busy = reports.filter(({ runs, engine }) => runs.includes(id) && engine !== null);
        return busy.length === 2 && reports.some(({ imagesPerSecond }) => imagesPerSecond > 0);
      });
      const status = await scene.ask<RunStatus & { workers: object[] }>(['status', 'latest']);
      expect(status).toMatchObject({
        run: id,
        state: 'running',
        images: ROWS,
        chunks: CHUNKS,
        committed: HELD_FROM,
      });
      expect(status.engine).toMatch(/^onnx-cpu \d/);
      expect(status.imagesPerSecond).toBeGreaterThan(0);
      const worker = { engine: expect.stringMatching(/^onnx-cpu \d/), runs: [id], threads: 1 };
      expect(status.workers).toMatchObject([worker, worker]);

      gate.open();
      const watched = await watching.finished;
      expect(watched.stderr).toContain('is complete: 38 ok, 1 failed, 1 skipped.');
      expect(watched.code).toBe(3);
      await scene.until('its crops', () => scene.withCrops(id));
      for (const { child } of workers) child.kill('SIGTERM');
      for (const { finished } of workers) expect(await finished).toMatchObject({ code: 0 });
      const chunks = workers.flatMap(logged).filter(({ outcome }) => outcome === 'committed');
      expect(chunks.map(({ chunk }) => Number(chunk)).toSorted((a, b) => a - b)).toEqual(ALL_CHUNKS);
    });

    test('its tables, sums, readings, grids and pictures for crops are those of analyze', async () => {
      expect(await readStoredRun(scene.output, id)).toEqual(undisturbed);
      expect(Object.keys(undisturbedPictures).length).toBeGreaterThan(16);
      expect(await storedPictures(scene.output, id)).toEqual(undisturbedPictures);
    });

    test('they are also those of the same pictures in a folder, whose ETags make another run', async () => {
      const output = await newFolder();
      const { run } = await askJson<Summary>(['analyze', photos, '-o', output, ...settings], 3);
      expect(run).not.toBe(id);
      expect(comparable(await readStoredRun(output, run))).toEqual(comparable(undisturbed));
    });

    test('submit, resume and cancel of a complete run say that there is nothing to do', async () => {
      const keys = await scene.keys();
      const { stdout, stderr } = await scene.run(submit(), 3);
      expect(stdout).toBe(`${id}\n`);
      expect(stderr).toContain('complete already; nothing to do');
      expect((await scene.run(['resume', 'latest'])).stderr).toContain('complete already; nothing to do');
      expect((await scene.run(['cancel', 'latest'])).stderr).toContain('there is nothing to cancel');
      expect(await scene.keys()).toEqual(keys);
    });

    test('crops that are missing are made by workers once resume has looked', async () => {
      const pictures = await storedPictures(scene.output, id);
      const keys = await scene.keys();
      const parts = keys.filter((key) => key.startsWith(cropsFolder(id)));
      await scene.output.delete([...parts, pictureKey(id, 0)]);
      expect((await scene.ask<RunStatus>(['status', id])).crops).toEqual({ done: 0, total: 1 });
      expect((await scene.run(['resume', id])).stderr).toContain('its crops are in the queue, 1 job');
      const worker = scene.startWorker();
      await scene.until('its crops', () => scene.withCrops(id));
      worker.child.kill('SIGTERM');
      await worker.finished;
      expect(logged(worker).find(({ msg }) => msg === 'crops')).toMatchObject({
        run: id,
        part: 0,
        missing: 0,
      });
      expect(await scene.keys()).toEqual(keys);
      expect(await storedPictures(scene.output, id)).toEqual(pictures);
    });

    test('gc deletes what no run needs and nothing else, --dry-run not even that; delete deletes the run', async () => {
      const keys = await scene.keys();
      const remains = `runs/${id}/chunks/0000001/dead-attempt/images.parquet`;
      await scene.output.put(remains, new Uint8Array(10));
      await setTimeout(1_100); // S3's dates are whole seconds
      const gc = ['gc', '--older-than', '0m'];
      const found = [{ reason: 'uncommitted-attempt', objects: 1, sizeBytes: 10 }];
      expect(await scene.ask([...gc, '--dry-run'])).toEqual(found);
      expect(await scene.keys()).toContain(remains);
      expect(await scene.ask(gc)).toEqual(found);
      expect(await scene.keys()).toEqual(keys);

      await scene.run(['delete', 'latest', '--yes']);
      expect(await scene.keys()).toEqual([expect.stringMatching(/^weights\//)]);
      expect((await scene.run(['status', id], 4)).stderr).toContain('there is no run');
      await setTimeout(1_100);
      expect(await scene.ask(gc)).toMatchObject([{ reason: 'unused-weights', objects: 1 }]);
      expect(await scene.keys()).toEqual([]);
      await scene.expectNoSecrets();
    });
  });

  test.concurrent('cancel stops within a chunk and leaves a run that answers; resume finishes it, with Redis wiped meanwhile', async () => {
    await using scene = await openCommandScene(s3);
    const { run, startWorker, until } = scene;
    await run(submit());
    const gate = await gateBefore(scene, HELD_FROM);
    const worker = startWorker();
    await until('five commits', async () => (await scene.committed(id)) === HELD_FROM);
    await until('two chunks in hand', () => gate.held() === 2);
    const cancelled = await run(['cancel', 'latest']);
    expect(cancelled.stderr).toContain('is cancelled with 20 of 40 images done');
    gate.open();
    const chunks = () => logged(worker).filter(({ msg }) => msg === 'chunk').length;
    await until('the end of what was in hand', () => chunks() === HELD_FROM + 2);
    worker.child.kill('SIGTERM');
    await worker.finished;
    expect(await scene.committed(id)).toBe(HELD_FROM + 2);

    expect(await scene.ask(['status', 'latest'])).toMatchObject({
      state: 'cancelled',
      committed: HELD_FROM + 2,
    });
    expect((await run(['layers', 'latest'])).stderr).toContain('The run is not complete');
    expect((await run(['watch', 'latest'], 3)).stderr).toContain('is cancelled');
    await scene.wipeRedis();
    expect((await run(['resume', 'latest'])).stderr).toContain('3 chunks are in the queue');
    startWorker();
    await run(['watch', 'latest'], 3);
    expect(await readStoredRun(scene.output, id)).toEqual(undisturbed);
    await scene.expectNoSecrets();
  });

  test.concurrent('a worker leaves outputs alone that are not its own; two SIGTERMs end it at once; retry redoes what failed', async () => {
    await using scene = await openCommandScene(s3);
    const { run, startWorker, until } = scene;
    await run(submit());
    const lock = { FILTERSCOPE_LOCK_SECONDS: '3' };
    const outputs = `s3://${s3.bucket}/other, s3://other`;
    const fenced = startWorker({ ...lock, FILTERSCOPE_OUTPUTS: outputs });
    await until('a job that is not taken', () =>
      logged(fenced).some(({ err }) => String((err as Error | undefined)?.message).includes('may not touch')),
    );
    fenced.child.kill('SIGTERM');
    expect(await fenced.finished).toMatchObject({ code: 0 });
    expect((await scene.keys()).filter((key) => /chunks|commits/.test(key))).toEqual([]);

    const gate = await gateBefore(scene, 0);
    const hasty = startWorker({ ...lock, FILTERSCOPE_OUTPUTS: `s3://${s3.bucket}` }, '--grace', '10m');
    await until('two chunks in hand', () => gate.held() === 2);
    hasty.child.kill('SIGTERM');
    await until('its goodbye', () => logged(hasty).some(({ msg }) => String(msg).startsWith('stopping')));
    await setTimeout(400); // one that comes along with the first is the same
    hasty.child.kill('SIGTERM');
    expect(await hasty.finished).toMatchObject({ code: 130 });
    expect(await scene.committed(id)).toBe(0);

    scene.s3.decide(({ path }) =>
      path.includes('cat/photo%203.jpg') ? { status: 403, code: 'AccessDenied' } : 'pass',
    );
    startWorker(lock);
    expect((await run(['watch', 'latest'], 3)).stderr).toContain('37 ok, 2 failed, 1 skipped');
    const failures = async () => {
      const rows = await scene.ask<ImageAnswer[]>(['failures', 'latest']);
      return rows.map(({ image, code }) => [image, code].join(' ')).toSorted();
    };
    const own = ['broken.jpg not-an-image', 'notes.txt not-image-name'];
    expect(await failures()).toEqual([own[0], 'cat/photo 3.jpg forbidden', own[1]]);
    scene.s3.heal();
    expect((await run(['retry', 'latest', '--code', 'poison'])).stderr).toContain('no such failed image');
    const before = (await readComplete(scene.output, id))?.generation;
    const retried = await run(['retry', 'latest', '--code', 'forbidden,poison'], 0, { LOG_LEVEL: 'info' });
    expect(JSON.parse(retried.stderr)).toMatchObject({ run: id, images: 1, jobs: 1 });
    await until('the new tables', async () => {
      const generation = (await readComplete(scene.output, id))?.generation;
      return generation !== before;
    });
    expect(await failures()).toEqual(own);
    expect(await readStoredRun(scene.output, id)).toEqual(undisturbed);
    await scene.expectNoSecrets();
  });

  test.concurrent('--max-failures: given up by the workers, with the reason; resume says what to do, and goes on when more may fail', async () => {
    await using scene = await openCommandScene(s3);
    const { run, startWorker } = scene;
    await run([...submit(), '--max-failures', '0']);
    startWorker();
    const watched = await run(['watch', 'latest'], 3);
    expect(watched.stderr).toContain('is failed');
    const why = '1 images failed, more than --max-failures allows (0)';
    expect(watched.stderr).toContain(why);
    expect((await run(['status', 'latest'])).stdout).toContain(`failed: ${why}`);
    expect(await scene.ask(['runs'])).toMatchObject([{ run: id, state: 'failed' }]);
    expect((await run(['layers', 'latest'])).stderr).toContain('The run is not complete');
    const failures = await scene.ask<ImageAnswer[]>(['failures', 'latest']);
    expect(failures.map(({ image }) => image)).toContain('broken.jpg');

    const refused = await run(['resume', 'latest'], 3);
    expect(refused.stderr).toContain(why);
    expect(refused.stderr).toContain('a larger --max-failures goes on');
    const committed = await scene.committed(id);
    expect(committed).toBeLessThanOrEqual(CHUNKS);
    await run(['resume', 'latest', '--max-failures', '50%']);
    expect((await run(['watch', 'latest'], 3)).stderr).toContain('is complete: 38 ok, 1 failed, 1 skipped.');
    expect(await readStoredRun(scene.output, id)).toEqual(undisturbed);
    await scene.expectNoSecrets();
  });

  test.concurrent('with LOG_LEVEL, what is said is a log: a line a chunk, a line on what was done', async () => {
    await using scene = await openCommandScene(s3);
    const log = async (args: string[], code = 0) => {
      const { stderr } = await scene.run(args, code, { LOG_LEVEL: 'info' });
      const lines = stderr.trimEnd().split('\n');
      return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    };
    expect(await log(submit())).toContainEqual(
      expect.objectContaining({ run: id, chunks: CHUNKS, jobs: CHUNKS, images: ROWS - 1 }),
    );
    expect(await log(['cancel', 'latest'])).toContainEqual(
      expect.objectContaining({ run: id, state: 'cancelled', done: 0 }),
    );
    expect(await log(['resume', 'latest'])).toContainEqual(
      expect.objectContaining({ run: id, jobs: CHUNKS }),
    );
    const analyzed = await log(['analyze', dataset, ...settings], 3);
    const chunks = analyzed.filter(({ msg }) => msg === 'chunk');
    expect(chunks.map(({ chunk }) => Number(chunk)).toSorted((a, b) => a - b)).toEqual(ALL_CHUNKS);
    for (const line of chunks) {
      const attempt = expect.stringMatching(/^[0-9a-z]+-[0-9a-f]{8}$/);
      const stageSeconds = { fetch: expect.any(Number), forward: expect.any(Number) };
      expect(line).toMatchObject({ run: id, outcome: 'committed', attempt, rows: CHUNK_SIZE, stageSeconds });
      expect(Number(line['ok']) + Number(line['failed']) + Number(line['skipped'])).toBe(CHUNK_SIZE);
      expect(line['seconds']).toBeGreaterThan(0);
    }
    const [refused] = await log(['layers', 'none'], 4);
    expect(refused).toMatchObject({ level: 50, code: 'unknown-run' });
    await scene.expectNoSecrets();
  });

  test.concurrent('what is out of reach or refused is said with its exit code, and without the secret', async () => {
    await using scene = await openCommandScene(s3);
    const { run, redisUrl, start, output } = scene;
    const [nowhere] = await freePorts(1);
    const status = ['status', 'latest'];
    const wrong = { AWS_SECRET_ACCESS_KEY: 'wrong-secret' };
    expect((await run(status, 2, wrong)).stderr).toContain('does not accept the credentials');
    const nobody = { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'wrong-secret' };
    expect((await run([...submit()], 2, nobody)).stderr).toContain('check the AWS access key');
    const away = { AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${nowhere}` };
    const unreachable = run(status, 5, away); // after some seconds: it is tried again and again
    const missing = start(['status', 'latest', '-o', `s3://no-such-bucket-${randomUUID()}`]);
    expect(await missing.finished).toMatchObject({ code: 4 });
    expect(missing.said()).toContain('there is no bucket');
    expect((await run(status, 4)).stderr).toContain('there is no run');

    const noRedis = { REDIS_URL: `redis://:wrong-secret@127.0.0.1:${nowhere}` };
    const refused = await run(submit(), 5, noRedis);
    expect(refused.stderr).toContain(`Redis at 127.0.0.1:${nowhere} is out of reach`);
    expect(await Array.fromAsync(output.list('runs/'))).toEqual([]);
    const { port } = new URL(redisUrl);
    const badPassword = { REDIS_URL: `redis://:wrong-secret@127.0.0.1:${port}` };
    expect((await run(submit(), 2, badPassword)).stderr).toContain('refuses: WRONGPASS');
    expect((await run(submit(), 2, { REDIS_URL: 'http://:wrong-secret@host' })).stderr).toContain(
      'REDIS_URL',
    );
    const worker = scene.startWorker(badPassword);
    await scene.until('what the worker says of it', () => worker.said().includes('WRONGPASS'));
    // Where the client would go on in database 0, among somebody else's jobs.
    const wrongDatabase = scene.startWorker({ REDIS_URL: `${redisUrl.replace(/\/\d*$/, '')}/1000` });
    expect((await wrongDatabase.finished).code).toBe(2);
    expect(wrongDatabase.said()).toContain('refuses: ERR DB index is out of range');
    expect((await unreachable).stderr).toMatch(/could not list .* now \(ECONNREFUSED\)/);
    await scene.expectNoSecrets('wrong-secret');
  });
});

/** What is below an S3 URL, with the dates. */
async function listed(url: string): Promise<unknown[]> {
  await using store = await openStore(url, { endpoint: s3.endpoint });
  return Array.fromAsync(store.list(''));
}

/** Without what differs between the same pictures in two places: their ETags, and the run's id in each grid's metadata. */
function comparable({ images, grids, ...rest }: StoredRun) {
  const withoutEtag = images.map((row) => ({ ...row, etag: '' }));
  return { ...rest, images: withoutEtag, grids: Object.keys(grids).toSorted() };
}
