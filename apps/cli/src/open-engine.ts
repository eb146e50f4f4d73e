import { availableParallelism, totalmem } from 'node:os';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Engine } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';

/** Engines that this build has; `auto` takes the first. */
export const ENGINES = ['onnx-cpu'] as const;
export type EngineName = 'auto' | (typeof ENGINES)[number];

/** Memory that one engine thread is given room for, its images in hand included. */
const BYTES_PER_THREAD = 1e9;

export function defaultThreads(): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(totalmem() / BYTES_PER_THREAD)));
}

/** Loads a runtime only now that it is wanted. @throws FilterscopeError `engine-unavailable`. */
export async function openEngine(
  weights: Weights,
  layers: readonly ConvolutionLayer[],
  threads: number = defaultThreads(),
): Promise<Engine> {
  const { createOnnxEngine } = await import('@filterscope/engines/onnx/onnx-engine').catch(
    (cause: unknown) => {
      const message = 'onnxruntime-node cannot be loaded on this machine; "filterscope doctor" says more';
      throw new FilterscopeError('engine-unavailable', message, { cause });
    },
  );
  return createOnnxEngine({ weights, layers, threads });
}
