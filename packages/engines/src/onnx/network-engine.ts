import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Readings } from '@filterscope/statistics/readings';
import type {
  Engine,
  EngineIdentity,
  ImageResult,
  InferRequest,
  PreparedImage,
} from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { createPool } from '../pool.ts';
import { startNetwork, type Network } from './network.ts';
import type { PackedWeights } from './packed-weights.ts';
import type { Outputs, Scales } from './session-thread.ts';
import { graphOutputs, type GraphMode, type GraphTarget } from './vgg16-graph.ts';

export interface NetworkEngineOptions {
  readonly identity: EngineIdentity;
  readonly weights: PackedWeights;
  readonly layers: readonly ConvolutionLayer[];
  readonly target: GraphTarget;
  /** Networks, each in a thread of its own. */
  readonly networks: number;
}

interface Waiting {
  readonly image: PreparedImage;
  readonly mode: GraphMode;
  readonly scales: Scales;
  readonly resolve: (result: ImageResult) => void;
  readonly reject: (reason: unknown) => void;
}

/** An engine of networks that take the images that wait, each as many at a time as it has room for. */
export function createNetworkEngine(options: NetworkEngineOptions): Engine {
  const { identity, weights, layers, target, networks } = options;
  const building = createPool([null]);
  const alone = <Result>(work: () => Promise<Result>) => building.use(work);
  const units = Array.from({ length: networks }, () => startNetwork(weights, layers, target, alone));
  const pool = createPool(units);
  const waiting: Waiting[] = [];
  let closed = false;

  /** One call for each image that came: where the one before took more, there is nothing left for the next. */
  const serve = async (network: Network): Promise<void> => {
    const batch = takeBatch(waiting, network);
    if (batch.length === 0) return;
    const [{ mode, scales }] = batch;
    const images = batch.map(({ image }) => image);
    try {
      const outputs = await network.run({ mode, images, scales, outputs: graphOutputs(layers, mode) });
      for (const [i, { resolve }] of batch.entries()) resolve(imageResult(layers, mode, outputs[i]));
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  const infer = async (
    image: PreparedImage,
    request: InferRequest,
    signal?: AbortSignal,
  ): Promise<ImageResult> => {
    if (closed) throw new FilterscopeError('engine-closed', 'the engine is closed');
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<ImageResult>();
    const scales = greyScales(layers, request);
    const own: Waiting = { image, mode: graphMode(request), scales, resolve, reject };
    const letGo = () => {
      const place = waiting.indexOf(own);
      if (place < 0) return; // in work: it is finished
      waiting.splice(place, 1);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', letGo, { once: true });
    waiting.push(own);
    void pool.use(serve);
    return promise.finally(() => signal?.removeEventListener('abort', letGo));
  };

  return {
    identity,
    parallel: networks,
    batch: target.batch,
    infer: (images, request, signal) => Promise.all(images.map((image) => infer(image, request, signal))),
    async [Symbol.asyncDispose]() {
      closed = true;
      await pool.drain();
      await Promise.all(units.map((unit) => unit[Symbol.asyncDispose]()));
    },
  };
}

/** The image that waits longest, with those of its mode that there is room for. Grey scales come with tiles alone, which have room for one. */
function takeBatch(waiting: Waiting[], network: Network): Waiting[] {
  const first = waiting.shift();
  if (!first) return [];
  const batch = [first];
  for (const room = network.room(first.mode); batch.length < room;) {
    const next = waiting.findIndex(({ mode }) => mode === first.mode);
    if (next < 0) break;
    batch.push(...waiting.splice(next, 1));
  }
  return batch;
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
    position: Uint16Array.from(outputs['position'] as Int32Array),
  };
}
