// `npm run bench`: the whole pipeline against as many threads doing nothing but the forward pass, interleaved in one run
// on the same images, and where the time goes. Writes docs/benchmark.md.
import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { convolutionMethod } from '@filterscope/engines/onnx/packed-weights';
import { processorFamily } from '@filterscope/engines/processor-family';
import { benchmarkDataset } from './benchmark-dataset.ts';
import { forwardPass } from './forward-pass.ts';
import { measureMemory } from './measure-memory.ts';
import { measureStages } from './measure-stages.ts';
import { pipelineRun } from './pipeline-run.ts';
import { benchmarkReport, type Measurements } from './benchmark-report.ts';

const THREADS = 2;
const IMAGES = Number(process.argv[2] ?? 96);
const ROUNDS = Number(process.argv[3] ?? 5);

configureImaging();
const weights = syntheticWeights();
await using dataset = await benchmarkDataset(IMAGES);
const method = convolutionMethod(processorFamily());
const throughput: Measurements['throughput'] = { direct: [], forward: [], readings: [], grids: [] };
{
  await using direct = await forwardPass(weights, dataset.folder, THREADS, 'direct');
  await using forward = await forwardPass(weights, dataset.folder, THREADS, method);
  // An engine of its own for each way, so that none is timed while it rebuilds its network for another.
  await using withoutGrids = await createOnnxEngine({ weights, layers: LAYERS, threads: THREADS });
  await using withGrids = await createOnnxEngine({ weights, layers: LAYERS, threads: THREADS });
  const ways = {
    direct: () => direct.run(),
    forward: () => forward.run(),
    readings: () => pipelineRun(withoutGrids, weights, dataset.folder, 'none'),
    grids: () => pipelineRun(withGrids, weights, dataset.folder, 'all'),
  };
  for (let round = -1; round < ROUNDS; round++) {
    for (const [way, run] of Object.entries(ways) as [keyof typeof ways, () => Promise<number>][]) {
      const perSecond = await run();
      process.stderr.write(`round ${round + 1} ${way}: ${perSecond.toFixed(2)} images/s\n`);
      if (round >= 0) throughput[way].push(perSecond); // the first round warms up
    }
  }
}
const stages = await measureStages(weights, dataset.folder, method);
const memory = await measureMemory(dataset.folder, THREADS);
const machine = `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${THREADS} of ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`;
const report = benchmarkReport({ machine, images: IMAGES, rounds: ROUNDS, throughput, stages, memory });
await writeFile(join(fileURLToPath(new URL('../..', import.meta.url)), 'docs', 'benchmark.md'), report);
process.stdout.write(report);
