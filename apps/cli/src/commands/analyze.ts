import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { openResults } from '@filterscope/results/open-results';
import { layerRows } from '@filterscope/results/summaries';
import { completeRun } from '@filterscope/runs/complete-run';
import { readComplete, type IndexDocument } from '@filterscope/runs/index-document';
import { listDataset } from '@filterscope/runs/listing';
import { manifestOf } from '@filterscope/runs/manifest';
import { createRun, planRun, requireImages, type RunPlan } from '@filterscope/runs/plan-run';
import { readRunDocument, type RunDocument, type RunSettings } from '@filterscope/runs/run-document';
import { unmarkStopped } from '@filterscope/runs/stopped-run';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { openStore } from '@filterscope/storage/open-store';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { requireLayers } from '@filterscope/vgg16/weights-file';
import picomatch from 'picomatch';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { expectedBytes } from '../expected-bytes.ts';
import { bytes, count, duration, percent, shortRun } from '../format.ts';
import { loadWeights, type WeightsChoice } from '../load-weights.ts';
import { openDataset } from '../open-dataset.ts';
import { openEngine } from '../open-engine.ts';
import type { FailureLimit } from '../parse-options.ts';
import { workThrough } from '../work-through.ts';
import { say, writeJson } from '../terminal.ts';
import { layersTable } from './layers.ts';
import { syntheticNote } from '../synthetic-note.ts';

export interface AnalyzeOptions extends WeightsChoice {
  readonly output: string;
  readonly json: boolean;
  readonly layers: readonly ConvolutionLayer[];
  readonly settings: RunSettings;
  readonly include?: string;
  readonly limit?: number;
  readonly maxFailures?: FailureLimit;
  readonly chunkSize?: number;
  readonly threads?: number;
}

/** `filterscope analyze`: the whole job in this process. @returns the exit code. */
export async function analyze(
  context: Context,
  datasetUrl: string,
  options: AnalyzeOptions,
): Promise<number> {
  const { terminal, signal } = context;
  configureImaging();
  const started = performance.now();
  await using dataset = await openDataset(datasetUrl);
  await using output = openStore(options.output);
  const plan = await makePlan(context, dataset, output, options);
  const known = await readComplete(output, plan.run, signal);
  if (known) {
    say(terminal, `Run ${shortRun(plan.run)} is complete already; nothing to do.`);
  } else {
    announce(context, plan, output);
  }
  const index = known ?? (await carryOut(context, plan, dataset, output, options));
  const seconds = (performance.now() - started) / 1000;
  await report(context, plan, output, index, options.json, seconds);
  return index.failed > 0 ? EXIT.failedImages : EXIT.done;
}

async function makePlan(
  context: Context,
  dataset: ObjectStore,
  output: ObjectStore,
  options: AnalyzeOptions,
): Promise<RunPlan> {
  const { terminal, environment, signal } = context;
  if (output.url === dataset.url) {
    const message = `the output is the dataset itself, ${output.url}; choose another --output`;
    throw new FilterscopeError('output-is-dataset', message);
  }
  const onProgress = (objects: number) => say(terminal, `${count(objects)} files listed …`);
  const listing = await listDataset(dataset, { excluded: output.url, onProgress, signal });
  const { include, limit } = options;
  const manifest = manifestOf(listing, {
    ...(include !== undefined && { include: globMatcher(include) }),
    ...(limit !== undefined && { limit }),
  });
  requireImages(manifest);
  const weights = await loadWeights(options, environment, context.showDownload, signal);
  requireLayers(weights.content, options.layers);
  return planRun(manifest, options.settings, weights, options.chunkSize);
}

/** A pattern without a slash is matched against the name alone, as in `*.jpg`. */
function globMatcher(glob: string): (key: string) => boolean {
  return picomatch(glob, { dot: true, basename: !glob.includes('/') });
}

function announce({ terminal }: Context, plan: RunPlan, output: ObjectStore): void {
  const { run, images, settings, weights, gridImages } = plan;
  const { grids, readings, weights: network } = expectedBytes(plan);
  const layers = settings.layers.length === 1 ? settings.layers[0] : `${settings.layers.length} layers`;
  say(
    terminal,
    `Run ${shortRun(run)}: ${count(images)} images, ${layers}, weights ${weights.content.name} (${weights.content.flavour}), fit ${settings.fit}`,
  );
  const pictures = gridImages === 0 ? 'no grids' : `grids of ${count(gridImages)} images ${bytes(grids)}`;
  say(terminal, `Writes about ${bytes(grids + readings + network)} to ${output.url}:`);
  say(terminal, `${pictures}, results ${bytes(readings)}, weights ${bytes(network)}.`);
  if (settings.gridStyle === 'filter' || settings.gridStyle === 'layer') {
    say(terminal, "First the grids' grey scale is measured, on 16 of the images.");
  }
  if (weights.content.synthetic) say(terminal, syntheticNote());
}

async function carryOut(
  context: Context,
  plan: RunPlan,
  dataset: ObjectStore,
  output: ObjectStore,
  options: AnalyzeOptions,
): Promise<IndexDocument> {
  const { signal, versions } = context;
  await using engine = await openEngine(plan.weights.content, options.layers, options.threads);
  const { document, created } = await createRun(plan, dataset, output, engine, versions, signal);
  await unmarkStopped(output, document.run, signal);
  await workThrough(context, { document, dataset, output, engine, created, ...limitOf(options, document) });
  const index = await completeRun(document, output, signal);
  if (index) return index;
  throw new FilterscopeError('chunks-missing', 'not every chunk has its commit; run the same command again');
}

function limitOf({ maxFailures }: AnalyzeOptions, { manifest }: RunDocument): { maxFailures?: number } {
  if (!maxFailures) return {};
  return {
    maxFailures:
      'images' in maxFailures
        ? maxFailures.images
        : Math.floor((manifest.images * maxFailures.percent) / 100),
  };
}

async function report(
  context: Context,
  plan: RunPlan,
  output: ObjectStore,
  index: IndexDocument,
  json: boolean,
  durationSeconds: number,
): Promise<void> {
  const { terminal, signal } = context;
  const { ok, failed, skipped, images } = index;
  const { synthetic } = plan.weights.content;
  if (json) {
    const summary = {
      run: plan.run,
      state: 'complete',
      images,
      ok,
      failed,
      skipped,
      output: output.url,
      durationSeconds,
      synthetic,
    };
    await writeJson(terminal, summary);
    return;
  }
  const counts = `${count(ok)} ok, ${count(failed)} failed, ${count(skipped)} skipped`;
  say(terminal, `Run ${shortRun(plan.run)} is complete: ${counts}, in ${duration(durationSeconds)}.`);
  if (failed > 0)
    say(
      terminal,
      `${percent(failed / images)} of the rows failed; "npx filterscope failures latest" says why.`,
    );
  if (index.engines.length > 1)
    say(terminal, 'More than one engine or version took part; their last bits may differ.');
  const document = await readRunDocument(output, plan.run, signal);
  await using results = await openResults(output, document, signal);
  terminal.stdout.write(layersTable(results, await layerRows(results, signal)));
}
