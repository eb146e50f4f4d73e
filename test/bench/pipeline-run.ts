import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireScales } from '@filterscope/runs/grey-scales';
import { listDataset } from '@filterscope/runs/listing';
import { manifestOf, openManifest } from '@filterscope/runs/manifest';
import { createRun, planRun } from '@filterscope/runs/plan-run';
import { runChunks } from '@filterscope/runs/run-chunks';
import { RESIZE_KERNEL, type RunSettings } from '@filterscope/runs/run-document';
import { createWorkplace } from '@filterscope/runs/workplace';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { LAYERS } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { canonicalWeights } from '@filterscope/vgg16/weights-file';

/** Carries out a whole run in a folder of its own. @returns images a second from the first image to the last commit. */
export async function pipelineRun(
  engine: Engine,
  content: Weights,
  folder: string,
  grids: 'all' | 'none',
): Promise<number> {
  const drawn = grids === 'all';
  const settings: RunSettings = {
    layers: LAYERS.map(({ layer }) => layer),
    fit: 'crop',
    kernel: RESIZE_KERNEL,
    grids,
    gridStyle: drawn ? 'filter' : null,
    gridFormat: drawn ? 'jpeg' : null,
    readings: 'full',
    topK: 16,
    countDuplicates: 'each',
    until: null,
  };
  const place = await mkdtemp(join(tmpdir(), 'filterscope-bench-out-'));
  try {
    await using dataset = openFolderStore(folder);
    await using output = openFolderStore(place);
    const { signal } = new AbortController();
    const weights = { content, ...canonicalWeights(content) };
    const plan = planRun(await manifestOf(listDataset(dataset)), settings, weights);
    const { document } = await createRun(plan, { dataset: dataset.url, output, versions: {} }, signal);
    const manifest = openManifest(output, document.run);
    const workplace = createWorkplace(engine);
    await requireScales({ document, dataset, output, manifest, engine, workplace, signal }); // once a run, however long
    const start = performance.now();
    await runChunks({ document, dataset, output, engine, signal });
    return (plan.images / (performance.now() - start)) * 1000;
  } finally {
    await rm(place, { recursive: true });
  }
}
