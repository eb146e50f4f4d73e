/**
 * `node test/bench/in-process-run.ts SETTINGS`: carries out a run in this process, as `analyze` does, with the real engine. Writes a
 * line to standard output for each image. SETTINGS is JSON, see `InProcessRun`.
 */
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { datasetAccess, measuredLayers, readRunDocument } from '@filterscope/runs/run-document';
import { runChunks } from '@filterscope/runs/run-chunks';
import { openStore } from '@filterscope/storage/open-store';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';

export interface InProcessRun {
  readonly output: string;
  readonly run: string;
  readonly endpoint: string;
  readonly threads: number;
}

const { output: url, run, endpoint, threads } = JSON.parse(process.argv[2]) as InProcessRun;
configureImaging();
await using output = await openStore(url, { endpoint });
const document = await readRunDocument(output, run);
await using dataset = await openStore(document.dataset, { endpoint, ...datasetAccess(document.access) });
await using engine = await createOnnxEngine({
  weights: syntheticWeights(),
  layers: measuredLayers(document),
  threads,
});
const { signal } = new AbortController();
await runChunks({ document, dataset, output, engine, signal, onImage: () => process.stdout.write('.\n') });
