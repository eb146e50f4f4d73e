/**
 * `node test/scale/analyse-with-stub.ts DATASET OUTPUT`: a whole run as `filterscope analyze --grids none` does it, with
 * a stub in place of the network. Says on stdout, a JSON object a line, how it went.
 */
import { parseArgs } from 'node:util';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { completeRun } from '@filterscope/runs/complete-run';
import { listDataset } from '@filterscope/runs/listing';
import { manifestOf } from '@filterscope/runs/manifest';
import { createRun, planRun } from '@filterscope/runs/plan-run';
import { runChunks } from '@filterscope/runs/run-chunks';
import { RESIZE_KERNEL, type RunSettings } from '@filterscope/runs/run-document';
import { openFolderStore } from '@filterscope/storage/folder-store';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { canonicalWeights } from '@filterscope/vgg16/weights-file';
import { createVariedEngine } from './varied-engine.ts';

/** What is said: first `planned`, then `at` with every chunk, last `complete`. */
export type Progress =
  | { readonly kind: 'planned'; readonly run: string; readonly seconds: number }
  | { readonly kind: 'at'; readonly images: number; readonly rssBytes: number }
  | {
      readonly kind: 'complete';
      readonly ok: number;
      readonly reused: number;
      /** From the first image to the last commit. */
      readonly chunksSeconds: number;
      readonly indexSeconds: number;
      readonly peakBytes: number;
    };

const SETTINGS: RunSettings = {
  layers: LAYERS.map(({ layer }) => layer),
  fit: 'crop',
  kernel: RESIZE_KERNEL,
  grids: 'none',
  gridStyle: null,
  gridFormat: null,
  readings: 'full',
  topK: 16,
  countDuplicates: 'each',
  until: null,
};

const { positionals } = parseArgs({ allowPositionals: true });
const [datasetFolder, outputFolder] = positionals;
if (datasetFolder === undefined || outputFolder === undefined) throw new Error('two folders are needed');
const say = (progress: Progress) => process.stdout.write(`${JSON.stringify(progress)}\n`);
const { signal } = new AbortController();

configureImaging();
await using dataset = openFolderStore(datasetFolder);
await using output = openFolderStore(outputFolder);
await using engine = createVariedEngine(LAYERS);
const content = { ...syntheticWeights(), layers: new Map() }; // a stub needs none; the real ones are 59 MB
const weights = { content, ...canonicalWeights(content) };

const begun = performance.now();
const manifest = await manifestOf(listDataset(dataset, { excluded: output.url, signal }));
const plan = planRun(manifest, SETTINGS, weights);
const place = { dataset: dataset.url, output, versions: {}, reuse: {} };
const { document } = await createRun(plan, place, signal);
const planned = performance.now();
say({ kind: 'planned', run: plan.run, seconds: (planned - begun) / 1000 });

let images = 0;
await runChunks({
  document,
  dataset,
  output,
  engine,
  signal,
  onImage: () => (images += 1),
  onCommitted: () => say({ kind: 'at', images, rssBytes: process.memoryUsage.rss() }),
});
const carriedOut = performance.now();
const index = await completeRun(document, output, signal);
if (index === undefined) throw new Error('a chunk has no commit');
say({
  kind: 'complete',
  ok: index.ok,
  reused: index.reused,
  chunksSeconds: (carriedOut - planned) / 1000,
  indexSeconds: (performance.now() - carriedOut) / 1000,
  peakBytes: process.resourceUsage().maxRSS * 1024,
});
