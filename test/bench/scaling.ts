// `npm run bench:scaling`: how images a second grow with workers, what two workers reach of `analyze`, and what it takes to plan
// a million images, on real Redis and S3. Writes docs/scaling.md and its plot; takes about ten minutes of a machine with nothing else
// to do. With `-- --quick`, little of each, on standard output alone.
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { upload, useCredentials } from '../support/distributed-run.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { startServers } from '../support/servers/start-servers.ts';
import { planImages } from '../scale/plan-images.ts';
import { benchmarkDataset } from './benchmark-dataset.ts';
import { compareWithAnalyze } from './compare-with-analyze.ts';
import { imagesAWorker, scaleWorkers, type WorkerScale } from './scale-workers.ts';
import { scalingPlot } from './scaling-plot.ts';
import { scalingReport } from './scaling-report.ts';

const { quick } = parseArgs({ options: { quick: { type: 'boolean', default: false } } }).values;
const WORKERS = quick ? [1, 2] : [1, 2, 4, 8, 16];
const STUB = { imageMs: 125, chunkSize: 16, windowSeconds: quick ? 5 : 20 };
const ROUNDS = quick ? 2 : 8;
const REAL_WINDOW_SECONDS = quick ? 5 : 10;
/** Beyond what one way does in all its rounds and while it warms up. */
const REAL_IMAGES = quick ? 400 : 2_000;
const PLANNED = quick ? 20_000 : 1_000_000;

process.setMaxListeners(64); // each worker is ended when this process ends
const begun = performance.now();
const load = loadavg()[0];
const cores = availableParallelism();
const say = (line: string) =>
  process.stderr.write(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${line}\n`);

say(`load ${load.toFixed(1)}; starting the servers`);
await using servers = await startServers(process.env, say);
const { s3 } = servers;
if (!s3 || !servers.ownRedis)
  throw new Error(`scaling is measured on Redis and S3: ${servers.serversMissing}`);
useCredentials(s3);

const scales: WorkerScale[] = [];
{
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-scaling-'));
  const dataset = `s3://${s3.bucket}/small-${randomUUID()}`;
  say('uploading small pictures');
  await writePhotos(folder, Math.max(...WORKERS) * imagesAWorker(STUB));
  await upload(folder, dataset, s3.endpoint);
  await rm(folder, { recursive: true });
  for (const workers of WORKERS) {
    const scale = await scaleWorkers(workers, { s3, dataset, ...STUB });
    const { imagesPerSecond, busyShare } = scale;
    const each = (imagesPerSecond / workers).toFixed(2);
    say(
      `${workers} workers: ${imagesPerSecond.toFixed(1)} images/s, ${each} each, engine ${(100 * busyShare).toFixed(0)} % busy`,
    );
    scales.push(scale);
  }
}
const comparison = await (async () => {
  await using photos = await benchmarkDataset(REAL_IMAGES);
  const dataset = `s3://${s3.bucket}/photos-${randomUUID()}`;
  say('uploading photographs');
  await upload(photos.folder, dataset, s3.endpoint);
  const options = { s3, dataset, rounds: ROUNDS, windowSeconds: REAL_WINDOW_SECONDS, say };
  return compareWithAnalyze(options);
})();
say(`planning ${PLANNED.toLocaleString('en')} images`);
const planning = { images: PLANNED, cost: await planImages(PLANNED) };

const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${cores} cores, ${memory}, Node ${process.version}`;
const { imageMs, windowSeconds } = STUB;
const report = scalingReport({
  machine,
  cores,
  load,
  imageMs,
  windowSeconds,
  scales,
  comparison,
  planning,
});
process.stdout.write(report);
if (!quick) {
  const docs = fileURLToPath(new URL('../../docs', import.meta.url));
  await mkdir(join(docs, 'images'), { recursive: true });
  await writeFile(join(docs, 'images', 'scaling.svg'), scalingPlot(scales, cores));
  await writeFile(join(docs, 'scaling.md'), report);
}
say('done');
