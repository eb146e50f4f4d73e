import { availableParallelism, totalmem } from 'node:os';
import { Option } from 'commander';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Engine, EngineIdentity } from '@filterscope/vgg16/engine';
import { INPUT_SIZE, LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Weights } from '@filterscope/vgg16/weights';
import { positiveInteger } from './parse-options.ts';

/** Engines that there are. `auto` takes the first: a GPU is found out only by running something on it, and a slow one is slower. */
const ENGINES = ['onnx-cpu', 'onnx-webgpu'] as const;

export interface EngineChoice {
  readonly engine?: 'auto' | (typeof ENGINES)[number];
  /** Of the processor. */
  readonly threads?: number;
}

/** Memory that one engine thread is given room for, its images in hand included. */
const BYTES_PER_THREAD = 1e9;
/** What was fastest on an H100; the maps of so many images take 0.6 GB there. */
const GPU_BATCH = 8;

export function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_PER_THREAD)));
}

export const engineOption = () =>
  new Option('--engine <engine>', 'what computes: the processor, or a GPU through WebGPU')
    .choices(['auto', ...ENGINES])
    .default('auto');

export const threadsOption = () =>
  new Option('--threads <n>', 'threads of the engine onnx-cpu (default: one a core)').argParser(
    positiveInteger,
  );

/** Images that an engine computes at a time: `parallel` times `batch`. */
export function engineCapacity({ engine, threads }: EngineChoice): Pick<Engine, 'parallel' | 'batch'> {
  return engine === 'onnx-webgpu'
    ? { parallel: 1, batch: GPU_BATCH }
    : { parallel: threads ?? defaultThreads(), batch: 1 };
}

/** Loads a runtime only now that it is wanted. @throws FilterscopeError `engine-unavailable`. */
export async function openEngine(
  weights: Weights,
  layers: readonly ConvolutionLayer[],
  choice: EngineChoice = {},
): Promise<Engine> {
  const { parallel, batch } = engineCapacity(choice);
  if (choice.engine === 'onnx-webgpu') {
    const { createWebGpuEngine } = await loaded(import('@filterscope/engines/onnx/webgpu-engine'));
    return createWebGpuEngine({ weights, layers, batch });
  }
  const { createOnnxEngine } = await loaded(import('@filterscope/engines/onnx/onnx-engine'));
  return createOnnxEngine({ weights, layers, threads: parallel });
}

/** Computes something with an engine, so that what is missing is known before work is begun. @throws what the engine throws */
export async function tryEngine(choice: EngineChoice, signal?: AbortSignal): Promise<EngineIdentity> {
  await using engine = await openEngine(syntheticWeights(), LAYERS.slice(0, 1), { ...choice, threads: 1 });
  const grey = new Uint8Array(INPUT_SIZE * INPUT_SIZE * 3).fill(128);
  const [result] = await engine.infer([grey], {}, signal);
  const { identity } = engine;
  if (result?.readings.max.some((max) => max > 0)) return identity;
  throw new FilterscopeError('engine-failed', `${identity.name} ${identity.version} gave no activations`);
}

async function loaded<Module>(module: Promise<Module>): Promise<Module> {
  return module.catch((cause: unknown) => {
    const message = 'onnxruntime-node cannot be loaded on this machine; "filterscope doctor" says more';
    throw new FilterscopeError('engine-unavailable', message, { cause });
  });
}
