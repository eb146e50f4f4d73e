import { listDataset } from '@filterscope/runs/listing';
import { manifestOf, openManifest } from '@filterscope/runs/manifest';
import { createRun, planRun, type RunPlace, type RunPlan } from '@filterscope/runs/plan-run';
import { RESIZE_KERNEL, type RunDocument, type RunSettings } from '@filterscope/runs/run-document';
import { createWorkplace, type Workplace } from '@filterscope/runs/workplace';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { openStore } from '@filterscope/storage/open-store';
import type { StoreAccess } from '@filterscope/storage/store-access';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { canonicalWeights } from '@filterscope/vgg16/weights-file';

export const FIRST_LAYER = LAYERS.slice(0, 1);

export interface PlannedRun {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  /** All that the work on a chunk takes beside the engine. */
  readonly work: {
    readonly document: RunDocument;
    readonly dataset: ObjectStore;
    readonly output: ObjectStore;
    readonly manifest: ReturnType<typeof openManifest>;
    readonly workplace: Workplace;
    readonly signal: AbortSignal;
  };
}

export interface PlannedRunOptions {
  readonly chunkSize?: number;
  readonly reuse?: NonNullable<RunPlace['reuse']>;
  /** Only the first so many images. */
  readonly limit?: number;
  /** Those of the stub engine, which needs none, unless given. */
  readonly weights?: RunPlan['weights'];
  /** How both stores are reached. */
  readonly access?: StoreAccess;
}

/** A run of the first layer, planned in this process with the stub engine: nothing of it is carried out yet. */
export async function plannedRun(
  datasetUrl: string,
  outputUrl: string,
  {
    chunkSize = 4,
    access = {},
    reuse,
    limit,
    weights = firstLayerWeights(),
    ...given
  }: Partial<RunSettings> & PlannedRunOptions = {},
): Promise<PlannedRun> {
  const { signal } = new AbortController();
  const dataset = await openStore(datasetUrl, access);
  const output = await openStore(outputUrl, access);
  const settings: RunSettings = {
    layers: FIRST_LAYER.map(({ layer }) => layer),
    fit: 'crop',
    kernel: RESIZE_KERNEL,
    grids: { first: 2 },
    gridStyle: 'filter',
    gridFormat: 'jpeg',
    readings: 'full',
    topK: 16,
    countDuplicates: 'each',
    until: null,
    ...given,
  };
  const manifest = await manifestOf(listDataset(dataset), limit === undefined ? {} : { limit });
  const plan = planRun(manifest, settings, weights, chunkSize);
  const place = { dataset: dataset.url, output, versions: {}, ...(reuse && { reuse }) };
  const { document } = await createRun(plan, place, signal);
  const work = {
    document,
    dataset,
    output,
    manifest: openManifest(output, document.run),
    workplace: createWorkplace({ parallel: 2, batch: 1 }),
    signal,
  };
  return { document, dataset, output, work };
}

let ofFirstLayer: RunPlan['weights'] | undefined;
/** Made once: the synthetic network takes a while. */
function firstLayerWeights(): RunPlan['weights'] {
  if (ofFirstLayer) return ofFirstLayer;
  const all = syntheticWeights();
  const content = { ...all, layers: new Map([...all.layers].slice(0, 1)) };
  ofFirstLayer = { content, ...canonicalWeights(content) };
  return ofFirstLayer;
}
