import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { expectedRequests } from '@filterscope/runs/expected-requests';
import { findReuse } from '@filterscope/runs/find-reuse';
import type { ManifestRow } from '@filterscope/runs/manifest-rows';
import type { RunPlan } from '@filterscope/runs/plan-run';
import { fetchImage } from '@filterscope/runs/process-image';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine, PreparedImage } from '@filterscope/vgg16/engine';
import type { Context } from './context.ts';
import { expectedBytes } from './expected-bytes.ts';
import { bytes, count, duration, shortRun } from './format.ts';
import { reuseSearch, type PlanOptions } from './make-plan.ts';
import { openEngine } from './open-engine.ts';
import { say, write, writeJson } from './terminal.ts';

/** Images that the speed is measured on, a unit of the engine. */
const IMAGES_A_UNIT = 4;
/** Rows that are tried at most to find them. */
const ROWS_TRIED = 64;
/** Share of the bare forward pass that a whole run without and with all grids reaches (docs/benchmark.md). */
const PIPELINE_SHARE = { without: 0.85, withGrids: 0.49 };
/** What an image taken from an earlier run takes at full depth, whatever the number of cores (docs/design.md). */
const SECONDS_A_REUSED = 0.003;

/** `filterscope submit --dry-run`: what the run would be. Nothing is written. */
export async function dryRun(
  context: Context,
  plan: RunPlan,
  dataset: ObjectStore,
  output: ObjectStore,
  options: PlanOptions & { json: boolean },
): Promise<void> {
  configureImaging();
  const { terminal, signal } = context;
  const { run, manifest, images, gridImages, chunkSize, settings } = plan;
  say(terminal, 'Measuring the speed of this machine on a few of the images …');
  await using engine = await openEngine(plan.weights.content, options.layers);
  const { rows } = manifest;
  const forward = await imagesPerSecond(rows.slice(0, ROWS_TRIED), settings.fit, dataset, engine, signal);
  const search = reuseSearch(context, options, engine.identity);
  const place = { dataset: dataset.url, access: options.access, output };
  const reuse = search ? await findReuse(plan, { ...search, ...place }, signal) : null;
  const reused = reuse?.unchanged ?? 0;
  const { without, withGrids } = PIPELINE_SHARE;
  const passes = gridImages / withGrids + (images - gridImages - reused) / without;
  const perSecond = forward === null || images === reused ? null : (forward * (images - reused)) / passes;
  const seconds = forward === null ? null : passes / forward + reused * SECONDS_A_REUSED;
  const { grids, readings, weights, crops } = expectedBytes(plan, options.crops);
  const estimate = {
    run,
    images,
    reused,
    rows: rows.length,
    chunks: Math.ceil(rows.length / chunkSize),
    jobs: Math.ceil(rows.length / chunkSize),
    bytes: Math.round(grids + readings + weights + crops),
    requests: expectedRequests(plan, { crops: options.crops, reuse }),
    imagesPerSecond: perSecond,
    seconds,
    output: output.url,
    synthetic: plan.weights.content.synthetic,
  };
  if (options.json) return writeJson(terminal, estimate);
  const { requests } = estimate;
  const taken = reused > 0 ? `, ${count(reused)} of them taken from earlier runs` : '';
  const hours = (workers: number) => (seconds === null ? '–' : duration(seconds / workers));
  const lines = [
    `run       ${shortRun(run)}`,
    `images    ${count(images)} of ${count(rows.length)} files${taken}`,
    `jobs      ${count(estimate.jobs)} chunks of ${count(chunkSize)} images`,
    `writes    about ${bytes(estimate.bytes)}: grids ${bytes(grids)}, results ${bytes(readings)}, weights ${bytes(weights)}, pictures for crops ${bytes(crops)}`,
    `requests  about ${count(requests.get)} GET, ${count(requests.put)} PUT, ${count(requests.list)} LIST`,
    `time      about ${hours(1)} with one worker on a processor like this machine's${perSecond === null ? '' : ` (${perSecond.toFixed(1)} images/s)`}, ${hours(10)} with ten`,
  ];
  await write(terminal.stdout, `${lines.join('\n')}\n`);
}

/** Of the bare forward pass, every unit at work; null when no image could be prepared. */
async function imagesPerSecond(
  rows: readonly ManifestRow[],
  fit: RunPlan['settings']['fit'],
  dataset: ObjectStore,
  engine: Engine,
  signal: AbortSignal,
): Promise<number | null> {
  const prepared: PreparedImage[] = [];
  for (const row of rows.filter(({ skip }) => skip === null)) {
    const fetched = await fetchImage(dataset, row, signal);
    const image = 'bytes' in fetched ? await prepareImage(fetched.bytes, fit, signal) : undefined;
    if (image?.status === 'ok') prepared.push(image.pixels);
    if (prepared.length === engine.parallel * IMAGES_A_UNIT) break;
  }
  if (prepared.length === 0) return null;
  const pass = () => Promise.all(prepared.map((image) => engine.infer([image], {}, signal)));
  await pass(); // builds the networks
  const start = performance.now();
  await pass();
  return (prepared.length / (performance.now() - start)) * 1000;
}
