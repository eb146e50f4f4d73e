import { createRequire } from 'node:module';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Readings } from '@filterscope/statistics/readings';
import type { Engine, ImageResult, InferRequest, PreparedImage } from '@filterscope/vgg16/engine';
import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { requireLayers } from '@filterscope/vgg16/weights-file';
import { createPool } from '../pool.ts';
import { processorFamily } from '../processor-family.ts';
import { startNetwork } from './network.ts';
import type { Outputs, Scales } from './session-thread.ts';
import { convolutionMethod, packWeights, type ConvolutionMethod } from './packed-weights.ts';
import { graphOutputs, type GraphMode } from './vgg16-graph.ts';

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
  signal: starting,
}: OnnxEngineOptions): Promise<Engine> {
  requireLayers(weights, layers);
  const depth = LAYERS.findLastIndex(({ layer }) => layers.some((measured) => measured.layer === layer)) + 1;
  const processor = processorFamily();
  const used = method ?? convolutionMethod(processor);
  const packed = await packWeights(weights, depth, used, starting);
  const building = createPool([null]);
  const alone = <Result>(work: () => Promise<Result>) => building.use(work);
  const units = Array.from({ length: threads }, () => startNetwork(packed, layers, alone));
  const pool = createPool(units);
  let closed = false;
  const close = async () => {
    closed = true;
    await pool.drain();
    await Promise.all(units.map((unit) => unit[Symbol.asyncDispose]()));
  };
  const infer = async (
    image: PreparedImage,
    request: InferRequest,
    signal?: AbortSignal,
  ): Promise<ImageResult> => {
    if (closed) throw new FilterscopeError('engine-closed', 'the engine is closed');
    const mode = graphMode(request);
    const scales = greyScales(layers, request);
    const outputs = await pool.use(
      (unit) => unit.run({ mode, image, scales, outputs: graphOutputs(layers, mode) }),
      signal,
    );
    return imageResult(layers, mode, outputs);
  };

  return {
    identity: { name: 'onnx-cpu', version: `${runtimeVersion()} ${used}`, processor },
    parallel: threads,
    batch: 1,
    infer: (images, request, signal) => Promise.all(images.map((image) => infer(image, request, signal))),
    [Symbol.asyncDispose]: close,
  };
}

function graphMode({ maps }: InferRequest): GraphMode {
  if (!maps) return 'readings';
  return ({ reference: 'tiles', tile: 'tiles', activations: 'activations' } as const)[maps.kind];
}

/** Activation per grey level of each layer's filters: 0 for the tile's own maximum, else above it, or it would mean that. */
function greyScales(layers: readonly ConvolutionLayer[], { maps }: InferRequest): Scales {
  if (maps === undefined || maps.kind === 'activations') return [];
  let offset = 0;
  return layers.map(({ layer, filters }) => {
    if (maps.kind === 'tile') return [layer, new Float32Array(filters)];
    const references = maps.references.subarray(offset, (offset += filters));
    return [layer, references.map((reference) => Math.max(reference / 255, 1e-30))];
  });
}

function imageResult(layers: readonly ConvolutionLayer[], mode: GraphMode, outputs: Outputs): ImageResult {
  const readings = readingsOf(layers, outputs);
  const each = (prefix: string) => layers.map(({ layer }) => outputs[`${prefix}/${layer}`]);
  if (mode === 'readings') return { readings };
  if (mode === 'activations') return { readings, activations: each('map') as Float32Array[] };
  return { readings, tiles: each('grid') as Uint8Array[] };
}

/** The share above zero is a count divided by the positions, exact to half a unit in the last place: rounding restores it. */
function readingsOf(layers: readonly ConvolutionLayer[], outputs: Outputs): Readings {
  const positive = outputs['positive'] as Float32Array;
  const zeros = new Uint16Array(positive.length);
  let filter = 0;
  for (const { filters, positions } of layers) {
    for (let i = 0; i < filters; i++, filter++)
      zeros[filter] = positions - Math.round(positive[filter] * positions);
  }
  return {
    zeros,
    max: outputs['max'] as Float32Array,
    mean: outputs['mean'] as Float32Array,
    position: Uint16Array.from(outputs['position'] as BigInt64Array, Number),
  };
}

function runtimeVersion(): string {
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  return version;
}
