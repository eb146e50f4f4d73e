import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Labels } from '@filterscope/runs/label-rows';
import { listDataset } from '@filterscope/runs/listing';
import { manifestOf } from '@filterscope/runs/manifest';
import { MAX_CLASSES, planRun, requireImages, type RunPlan } from '@filterscope/runs/plan-run';
import { ROWS_A_LOOK } from '@filterscope/runs/precision';
import { readLabels } from '@filterscope/runs/read-labels';
import type { RunDocument, RunSettings } from '@filterscope/runs/run-document';
import type { ReuseSearch } from '@filterscope/runs/find-reuse';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { EngineIdentity } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { requireLayers } from '@filterscope/vgg16/weights-file';
import picomatch from 'picomatch';
import type { Context } from './context.ts';
import { stopsWhen } from './early-stop.ts';
import { expectedBytes } from './expected-bytes.ts';
import { bytes, count, shortRun } from './format.ts';
import { loadWeights, type WeightsChoice } from './load-weights.ts';
import type { EngineChoice } from './open-engine.ts';
import { syntheticNote } from './synthetic-note.ts';
import type { FailureLimit } from './parse-options.ts';
import { say, type Terminal } from './terminal.ts';

/** What `analyze` and `submit` are told of the run. */
export interface PlanOptions extends WeightsChoice, EngineChoice {
  readonly output: string;
  readonly layers: readonly ConvolutionLayer[];
  readonly settings: RunSettings;
  readonly access: RunDocument['access'];
  /** What is done after completion; no part of what the run is. */
  readonly crops: RunDocument['crops'];
  readonly include?: string;
  readonly limit?: number;
  /** Path of a labels file. */
  readonly labels?: string;
  readonly chunkSize?: number;
  readonly maxFailures?: FailureLimit;
  /** Whether readings are taken from earlier runs. */
  readonly reuse: boolean;
}

/**
 * Lists the dataset, loads the weights and says what the run will be; nothing is written.
 * @throws FilterscopeError `output-is-dataset`, `no-images`, and what is wrong with the weights.
 */
export async function makePlan(
  context: Context,
  dataset: ObjectStore,
  output: ObjectStore,
  options: PlanOptions,
): Promise<RunPlan> {
  const { terminal, environment, signal } = context;
  if (output.url === dataset.url) {
    const message = `the output is the dataset itself, ${output.url}; choose another --output`;
    throw new FilterscopeError('output-is-dataset', message);
  }
  const onProgress = (objects: number) => say(terminal, `${count(objects)} files listed …`);
  const labels = await openLabels(options.labels, signal);
  const listing = listDataset(dataset, { excluded: output.url, onProgress, signal });
  const first = await listing.next(); // a dataset that is not there is said before weights are downloaded
  // In this order, because loading weights takes twice their memory for a moment.
  const weights = await loadWeights(options, environment, context.showDownload, signal);
  requireLayers(weights.content, options.layers);
  const { include, limit } = options;
  const manifest = await manifestOf(resumed(first, listing), {
    ...(include !== undefined && { include: globMatcher(include) }),
    ...(limit !== undefined && { limit }),
    ...(labels && { labels }),
  });
  requireImages(manifest);
  return planRun(manifest, options.settings, weights, options.chunkSize);
}

/** @throws FilterscopeError `bad-labels` for a file that is not there. */
async function openLabels(path: string | undefined, signal: AbortSignal): Promise<Labels | undefined> {
  if (path === undefined) return undefined;
  const isFile = await stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
  if (!isFile)
    throw new FilterscopeError('bad-labels', `there is no file ${path}; give a CSV file on this machine`);
  const name = basename(path);
  return { name, read: (onLabel) => readLabels(createReadStream(path), name, onLabel, signal) };
}

async function* resumed<T>(first: IteratorResult<T, void>, rest: AsyncGenerator<T, void>) {
  if (!first.done) yield first.value;
  yield* rest;
}

/** A pattern without a slash is matched against the name alone, as in `*.jpg`. */
function globMatcher(glob: string): (key: string) => boolean {
  return picomatch(glob, { dot: true, basename: !glob.includes('/') });
}

function sayClasses(terminal: Terminal, { manifest, classes }: RunPlan): void {
  const { labelling, rows } = manifest;
  if (labelling) {
    const { name, labelled, unknown } = labelling;
    const known = `${count(labelled)} of ${count(rows.length)} files have a class`;
    const others =
      unknown === 0 ? '' : `; ${count(unknown)} of its lines are of images that are not in this run`;
    say(terminal, `Classes by ${name}: ${known}${others}.`);
  }
  if (classes === null) {
    say(
      terminal,
      `There are more than ${count(MAX_CLASSES)} classes: only "filters --class" answers for one.`,
    );
  }
}

/** How earlier runs are looked through for `createRun` and `findReuse`; undefined with `--no-reuse`. */
export function reuseSearch(
  { terminal }: Context,
  { reuse }: PlanOptions,
  engine?: EngineIdentity,
): Pick<ReuseSearch, 'engine' | 'onSources'> | undefined {
  if (!reuse) return undefined;
  const onSources = (runs: number) =>
    say(terminal, `Looking for the images in ${runs === 1 ? 'an earlier run' : `${runs} earlier runs`} …`);
  return { onSources, ...(engine && { engine }) };
}

/**
 * Says what is taken from earlier runs.
 * @param engineKnown whether it is known that the same engine carries out the run
 */
export function announceReuse(
  { terminal }: Context,
  { reuse, manifest }: RunDocument,
  { reuse: wanted }: PlanOptions,
  engineKnown: boolean,
): void {
  if (!reuse) return;
  const { unchanged, sameName, engines } = reuse;
  const proviso = engineKnown ? '' : ` (as far as the workers' engine is theirs, ${engines.join(' or ')})`;
  const compared = sameName === 0 ? '' : `; ${count(sameName)} more are compared by content`;
  say(
    terminal,
    `${count(unchanged)} of ${count(manifest.images)} images are taken from earlier runs${proviso}${compared}.`,
  );
  if (!wanted) say(terminal, 'The run was planned so: "delete" it first to have every image computed.');
}

/** Says what will be done and how much is written. */
export function announce(
  { terminal }: Context,
  plan: RunPlan,
  output: ObjectStore,
  { crops: kept }: Pick<PlanOptions, 'crops'>,
): void {
  const { run, images, settings, weights, gridImages } = plan;
  const { grids, readings, weights: network, crops } = expectedBytes(plan, kept);
  const layers = settings.layers.length === 1 ? settings.layers[0] : `${settings.layers.length} layers`;
  say(
    terminal,
    `Run ${shortRun(run)}: ${count(images)} images, ${layers}, weights ${weights.content.name} (${weights.content.flavour}), fit ${settings.fit}`,
  );
  sayClasses(terminal, plan);
  if (settings.until) {
    say(
      terminal,
      `It ${stopsWhen(settings.until)}; it looks every ${count(ROWS_A_LOOK)} images. What follows is said of all of them.`,
    );
  }
  const pictures = gridImages === 0 ? 'no grids' : `grids of ${count(gridImages)} images ${bytes(grids)}`;
  say(terminal, `Writes about ${bytes(grids + readings + network + crops)} to ${output.url}:`);
  say(
    terminal,
    `${pictures}, results ${bytes(readings)}, weights ${bytes(network)}, ${crops === 0 ? 'no pictures' : `pictures ${bytes(crops)}`} for crops.`,
  );
  if (settings.gridStyle === 'filter' || settings.gridStyle === 'layer') {
    say(terminal, "The grids' grey scale is measured first, on 16 of the images.");
  }
  if (weights.content.synthetic) say(terminal, syntheticNote());
}
