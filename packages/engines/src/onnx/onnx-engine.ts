import type { Engine } from '@filterscope/vgg16/engine';
import { networkDepth, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { requireLayers } from '@filterscope/vgg16/weights-file';
import { processorFamily } from '../processor-family.ts';
import { createNetworkEngine } from './network-engine.ts';
import { convolutionMethod, packWeights, type ConvolutionMethod } from './packed-weights.ts';
import { runtimeVersion } from './runtime-version.ts';

export interface OnnxEngineOptions {
  readonly weights: Weights;
  /** What is measured; the network is built as deep as the deepest. */
  readonly layers: readonly ConvolutionLayer[];
  /** Threads, each with a network of its own (about 250 MB); as many as processor cores is best. */
  readonly threads: number;
  /** How convolutions are computed; what is fastest on this processor unless told. */
  readonly method?: ConvolutionMethod;
  /** Stops the preparation of the weights; the engine once it is there is ended by disposing of it. */
  readonly signal?: AbortSignal;
}

/**
 * VGG16 on ONNX Runtime's CPU provider. Each of `threads` worker threads runs one image at a time on one core, which is
 * faster than batches or several threads to a network.
 * @throws FilterscopeError `missing-layer` when the weights lack a layer, `engine-failed` when the runtime does.
 */
export async function createOnnxEngine({
  weights,
  layers,
  threads,
  method,
  signal,
}: OnnxEngineOptions): Promise<Engine> {
  requireLayers(weights, layers);
  const processor = processorFamily();
  const used = method ?? convolutionMethod(processor);
  return createNetworkEngine({
    identity: { name: 'onnx-cpu', version: `${runtimeVersion()} ${used}`, processor },
    weights: await packWeights(weights, networkDepth(layers), used, signal),
    layers,
    target: { device: 'cpu', batch: 1 },
    networks: threads,
  });
}
