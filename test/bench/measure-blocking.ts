// `node test/bench/measure-blocking.ts [rounds]`: how long the event loop of a process that carries out chunks stands still, by
// phase: in ms the longest pause and the 99 % quantile of the best round, since other work on the machine only adds to it, and the
// most processor time that this thread took between two looks at it, which other work hardly changes. Fails above 100 ms.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { carryOutChunk } from '@filterscope/runs/carry-out-chunk';
import { completeRun } from '@filterscope/runs/complete-run';
import { listDataset } from '@filterscope/runs/listing';
import { manifestOf, openManifest } from '@filterscope/runs/manifest';
import { createRun, planRun } from '@filterscope/runs/plan-run';
import { RESIZE_KERNEL, type RunSettings } from '@filterscope/runs/run-document';
import { createWorkplace } from '@filterscope/runs/workplace';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { canonicalWeights, parseWeights } from '@filterscope/vgg16/weights-file';
import { createStubEngine } from '../support/stub-engine.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { benchmarkDataset } from './benchmark-dataset.ts';
import { worstPictures } from './worst-pictures.ts';

const LIMIT_MS = 100;
const RESOLUTION_MS = 5;
const THREADS = 2;
const ROUNDS = Number(process.argv[2] ?? 3);

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
const pauses = new Map<string, { max: number; p99: number; cpu: number }[]>();
let mostCpu = 0;
let lastCpu = cpuMs();
setInterval(() => {
  const now = cpuMs();
  mostCpu = Math.max(mostCpu, now - lastCpu);
  lastCpu = now;
}, RESOLUTION_MS).unref();

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const ms = (nanoseconds: number) => nanoseconds / 1e6;

/** Runs one phase and keeps its pauses. */
async function phase<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  await setTimeout(2 * RESOLUTION_MS); // what the phase before has left behind
  delay.reset();
  mostCpu = 0;
  try {
    return await work();
  } finally {
    await setTimeout(2 * RESOLUTION_MS); // a pause is recorded when it is over
    const found = pauses.get(name) ?? [];
    found.push({ max: ms(delay.max), p99: ms(delay.percentile(99)), cpu: mostCpu });
    pauses.set(name, found);
  }
}

async function measureChunk(
  name: string,
  engine: Engine,
  folder: string,
  chunkSize: number,
  grids: Pick<RunSettings, 'grids' | 'gridStyle' | 'gridFormat'>,
): Promise<void> {
  const { signal } = new AbortController();
  const place = await mkdtemp(join(tmpdir(), 'filterscope-blocking-'));
  const layers = LAYERS.map(({ layer }) => layer);
  const settings: RunSettings = {
    layers,
    fit: 'crop',
    kernel: RESIZE_KERNEL,
    readings: 'full',
    topK: 16,
    countDuplicates: 'each',
    until: null,
    ...grids,
  };
  try {
    await using dataset = openFolderStore(folder);
    await using output = openFolderStore(place);
    const weights = { content, ...canonical };
    const plan = planRun(await manifestOf(listDataset(dataset)), settings, weights, chunkSize);
    const runPlace = { dataset: dataset.url, output, versions: {} };
    const { document } = await createRun(plan, runPlace, signal);
    const manifest = openManifest(output, document.run);
    const measured = Promise.withResolvers<void>();
    let open = plan.images;
    const onImage = () => {
      if (--open === 0) measured.resolve();
    };
    const workplace = createWorkplace(engine);
    const chunk = carryOutChunk(
      { document, dataset, output, manifest, engine, workplace, signal, onImage },
      0,
    );
    await phase(`${name}: images`, () => Promise.race([measured.promise, chunk]));
    await phase(`${name}: results`, () => chunk);
    await phase(`${name}: completion`, () => completeRun(document, output, signal));
  } finally {
    await rm(place, { recursive: true });
  }
}

configureImaging();
const content = syntheticWeights();
const canonical = canonicalWeights(content);
await using photos = await benchmarkDataset(32);
const scratch = await mkdtemp(join(tmpdir(), 'filterscope-blocking-in-'));
const small = join(scratch, 'small');
await mkdir(small);
await writePhotos(small, 256, (i) => `class ${i % 100}/photo ${i}.jpg`);
const weightsFile = join(scratch, 'weights.safetensors');
await writeFile(weightsFile, canonical.bytes);
const pictures = await worstPictures();

delay.enable();
for (let round = 0; round < ROUNDS; round++) {
  const weights = await phase('weights', async () => parseWeights(await readFile(weightsFile), 'weights'));
  {
    await using engine = await phase('engine', async () => {
      const started = await createOnnxEngine({ weights, layers: LAYERS, threads: THREADS });
      await started.infer([new Uint8Array(224 * 224 * 3)], {});
      return started;
    });
    const filter = { grids: 'all', gridStyle: 'filter', gridFormat: 'jpeg' } as const;
    await measureChunk('real engine, grids', engine, photos.folder, 32, filter);
    const chollet = { grids: { first: 8 }, gridStyle: 'chollet', gridFormat: 'png' } as const;
    await measureChunk('real engine, chollet', engine, photos.folder, 32, chollet);
  }
  await using stub = createStubEngine(LAYERS);
  const none = { grids: 'none', gridStyle: null, gridFormat: null } as const;
  await measureChunk('256 images', stub, small, 256, none);
  for (const [name, { bytes, fit }] of Object.entries(pictures)) {
    await phase(`picture: ${name}`, () => prepareImage(bytes, fit));
  }
  process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
}
await rm(scratch, { recursive: true });

for (const [name, found] of pauses) {
  const least = (of: 'max' | 'p99' | 'cpu') => Math.min(...found.map((one) => one[of]));
  const columns = [least('max'), least('p99'), least('cpu')].map((value) => value.toFixed(0).padStart(6));
  const tooLong = least('max') > LIMIT_MS;
  process.stdout.write(`${name.padEnd(40)}${columns.join('')}${tooLong ? '  TOO LONG' : ''}\n`);
  if (tooLong) process.exitCode = 1;
}
