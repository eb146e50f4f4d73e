import { createHash } from 'node:crypto';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Engine } from '@filterscope/vgg16/engine';
import { INPUT_SIZE, LAYERS, networkDepth, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { Weights } from '@filterscope/vgg16/weights';
import { requireLayers } from '@filterscope/vgg16/weights-file';
import { createNetworkEngine } from './network-engine.ts';
import { packWeights } from './packed-weights.ts';
import { runtimeVersion } from './runtime-version.ts';

export interface WebGpuEngineOptions {
  readonly weights: Weights;
  /** What is measured; the network is built as deep as the deepest. */
  readonly layers: readonly ConvolutionLayer[];
  /** Images that are computed at a time. */
  readonly batch: number;
  /** Stops the preparation of the weights. */
  readonly signal?: AbortSignal;
}

/** What a GPU's arithmetic is known by: the readings of these layers. */
const FINGERPRINT_LAYERS = LAYERS.slice(0, 3);

/**
 * VGG16 on ONNX Runtime's WebGPU provider: Vulkan on Linux, Metal on macOS, Direct3D 12 on Windows.
 * @throws FilterscopeError `engine-unavailable` where no GPU is found, `missing-layer` when the weights lack a layer, `engine-failed`.
 */
export async function createWebGpuEngine(options: WebGpuEngineOptions): Promise<Engine> {
  const { weights, layers, batch, signal } = options;
  requireLayers(weights, layers);
  const processor = await gpuFamily(signal);
  return createNetworkEngine({
    identity: { name: 'onnx-webgpu', version: `${runtimeVersion()} direct`, processor },
    weights: await packWeights(weights, networkDepth(layers), 'direct', signal),
    layers,
    target: { device: 'gpu', batch },
    networks: 1,
  });
}

/**
 * The GPU as far as arithmetic depends on it. The runtime does not say which one it is; those that give the same bits, of a picture
 * in the first layers of the synthetic network, have the same name.
 * @throws FilterscopeError `engine-unavailable`
 */
async function gpuFamily(signal?: AbortSignal): Promise<string> {
  const packed = await packWeights(syntheticWeights(), FINGERPRINT_LAYERS.length, 'direct', signal);
  await using engine = createNetworkEngine({
    identity: { name: 'onnx-webgpu', version: '', processor: '' },
    weights: packed,
    layers: FINGERPRINT_LAYERS,
    target: { device: 'gpu', batch: 1 },
    networks: 1,
  });
  const picture = Uint8Array.from(
    { length: INPUT_SIZE ** 2 * 3 },
    (_, i) => (i * 7919 + (i >> 7) * 31) % 256,
  );
  try {
    const [{ readings }] = await engine.infer([picture], {}, signal);
    const { max, mean } = readings;
    const hash = createHash('sha256').update(Float32Array.from(max)).update(Float32Array.from(mean));
    return `gpu-${hash.digest('hex').slice(0, 8)}`;
  } catch (cause) {
    signal?.throwIfAborted();
    const text = cause instanceof Error ? cause.message : String(cause);
    const [reason] = /Failed to .*/.exec(text) ?? [text]; // behind places in the runtime's source
    const message = `there is no GPU that can be used (${reason}): it needs a driver with Vulkan and its loader, Metal or Direct3D 12; or use --engine onnx-cpu`;
    throw new FilterscopeError('engine-unavailable', message, { cause });
  }
}
