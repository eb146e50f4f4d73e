// `node test/bench/gpu.ts`: what a GPU brings, through the engine onnx-webgpu: its bare forward pass, readings, and whole runs
// without grids, beside the processor's engine on the same machine. `node test/bench/gpu.ts 8` measures batches of 8 on the GPU alone.
import { availableParallelism, cpus } from 'node:os';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { packWeights } from '@filterscope/engines/onnx/packed-weights';
import { createWebGpuEngine } from '@filterscope/engines/onnx/webgpu-engine';
import { startNetwork } from '@filterscope/engines/onnx/network';
import { graphOutputs } from '@filterscope/engines/onnx/vgg16-graph';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import type { Engine } from '@filterscope/vgg16/engine';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { benchmarkDataset } from './benchmark-dataset.ts';
import { preparedImages } from './forward-pass.ts';
import { pipelineRun } from './pipeline-run.ts';

const IMAGES = 720;
const ROUNDS = 3;
const BATCHES = [1, 4, 8, 16];

configureImaging();
const weights = syntheticWeights();
const only = process.argv[2];
const batches = only === undefined ? BATCHES : [Number(only)];

/** @returns images a second, the median of some rounds after one that does not count */
async function measured(images: number, work: () => Promise<unknown>): Promise<number> {
  const rates: number[] = [];
  for (let round = -1; round < ROUNDS; round++) {
    const start = performance.now();
    await work();
    if (round >= 0) rates.push((images / (performance.now() - start)) * 1000);
  }
  return rates.toSorted((a, b) => a - b)[rates.length >> 1];
}

async function forwardRate(batch: number, pictures: readonly Uint8Array[]): Promise<number> {
  const packed = await packWeights(weights, LAYERS.length, 'direct');
  await using network = startNetwork(packed, LAYERS, { device: 'gpu', batch }, (build) => build());
  const images = pictures.slice(0, batch);
  const request = { mode: 'forward', images, scales: [], outputs: graphOutputs(LAYERS, 'forward') } as const;
  const times = Math.max(8, Math.round(400 / batch));
  return await measured(times * batch, async () => {
    for (let i = 0; i < times; i++) await network.run(request);
  });
}

const readingsRate = (engine: Engine, pictures: readonly Uint8Array[]) =>
  measured(pictures.length, () => engine.infer(pictures, {}));

await using dataset = await benchmarkDataset(IMAGES);
const pictures = await preparedImages(dataset.folder);
const say = (...cells: (string | number)[]) =>
  console.log(cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(1) : cell)).join(' | '));
say(
  `${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, ${IMAGES} photographs of 500 pixels, images/s`,
);
say('engine', 'batch', 'forward pass alone', 'readings', 'whole run without grids');
for (const batch of batches) {
  const forward = await forwardRate(batch, pictures);
  await using engine = await createWebGpuEngine({ weights, layers: LAYERS, batch });
  const readings = await readingsRate(engine, pictures);
  const run = await measured(IMAGES, () => pipelineRun(engine, weights, dataset.folder, 'none'));
  say(`${engine.identity.name} on ${engine.identity.processor}`, String(batch), forward, readings, run);
}
if (only === undefined) {
  await using engine = await createOnnxEngine({ weights, layers: LAYERS, threads: availableParallelism() });
  const few = pictures.slice(0, 160);
  const run = await measured(IMAGES, () => pipelineRun(engine, weights, dataset.folder, 'none'));
  say(`${engine.identity.name}, ${engine.parallel} threads`, '1', '', await readingsRate(engine, few), run);
}
