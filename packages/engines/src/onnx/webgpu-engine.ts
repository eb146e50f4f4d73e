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

/**
 * VGG16 on ONNX Runtime's WebGPU provider: Vulkan on Linux, Metal on macOS, Direct3D 12 on Windows.
 * @throws FilterscopeError `engine-unavailable` where no GPU is found, `missing-layer` when the weights lack a layer, `engine-failed`.
 */
export async function createWebGpuEngine(options: WebGpuEngineOptions): Promise<Engine> {
  const { weights, layers, batch, signal } = options;
  requireLayers(weights, layers);
  const processor = await gpuFamily(batch, signal);
  return createNetworkEngine({
    identity: { name: 'onnx-webgpu', version: `${runtimeVersion()} direct`, processor },
    weights: await packWeights(weights, networkDepth(layers), 'direct', signal),
    layers,
    target: { device: 'gpu', batch },
    networks: 1,
  });
}

/** By batch: what was found out once holds as long as the process. */
const families = new Map<number, Promise<string>>();

/**
 * The GPU as far as arithmetic depends on it. The runtime does not say which one it is; those that give the same bits, all readings of
 * a picture in the whole synthetic network, have the same name.
 * @throws FilterscopeError `engine-unavailable`, `engine-failed`
 */
async function gpuFamily(batch: number, signal?: AbortSignal): Promise<string> {
  const known = families.get(batch) ?? findFamily(batch, signal);
  families.set(batch, known);
  try {
    return await known;
  } catch (error) {
    families.delete(batch);
    throw error;
  }
}

async function findFamily(batch: number, signal?: AbortSignal): Promise<string> {
  await using engine = createNetworkEngine({
    identity: { name: 'onnx-webgpu', version: '', processor: '' },
    weights: await packWeights(syntheticWeights(), LAYERS.length, 'direct', signal),
    layers: LAYERS,
    target: { device: 'gpu', batch },
    networks: 1,
  });
  const picture = Uint8Array.from(
    { length: INPUT_SIZE ** 2 * 3 },
    (_, i) => (i * 7919 + (i >> 7) * 31) % 256,
  );
  try {
    const [{ readings }] = await engine.infer([picture], {}, signal);
    const hash = createHash('sha256');
    for (const name of ['zeros', 'max', 'mean', 'position'] as const) hash.update(readings[name].slice());
    return `gpu-${hash.digest('hex').slice(0, 8)}`;
  } catch (cause) {
    const [reason] = NO_GPU.exec(String(cause)) ?? [];
    if (reason === undefined) throw cause;
    const message = `there is no GPU that can be used (${reason}): it needs a driver with Vulkan and its loader, Metal or Direct3D 12; or use --engine onnx-cpu`;
    throw new FilterscopeError('engine-unavailable', message, { cause });
  }
}

/** What the runtime says of it, behind places in its source. */
const NO_GPU = /Failed to get a WebGPU (?:adapter|device).*/;
