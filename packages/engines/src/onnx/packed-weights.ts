import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { ConvolutionWeights, Flavour, Weights } from '@filterscope/vgg16/weights';
import type { DirectWeights } from './pack-layer.ts';
import type { PackingTask } from './packing-thread.ts';
import type { WinogradWeights } from './winograd-convolution.ts';
import { POINTS } from './winograd-transforms.ts';

/** How convolutions are computed: by the runtime's own, or where it pays by `winogradConvolution`. */
export type ConvolutionMethod = 'direct' | 'winograd';

/**
 * What is fastest on a processor (see `processorFamily`). `winogradConvolution` lives off the blocked layout that the runtime
 * has for x64; it was measured with AVX-512.
 */
export function convolutionMethod(processor: string): ConvolutionMethod {
  return processor.startsWith('x64-avx') ? 'winograd' : 'direct';
}

/**
 * Not the first layer, whose three inputs are too few, and not block 5: its kernels would take 113 MB more in each network,
 * to win 15 of 150 ms.
 */
const isWinogradLayer = ({ inputs, block }: ConvolutionLayer) => inputs > 3 && block < 5;

/** Weights as graphs refer to them: one piece of shared memory, which the sessions of all threads read. */
export interface PackedWeights {
  readonly flavour: Flavour;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** By Keras name. */
  readonly layers: Readonly<Record<string, DirectWeights | WinogradWeights>>;
}

/**
 * Packs in a thread of its own that ends with the work, a layer at a time: beside the result there is one kernel more in
 * memory (9 MB).
 * @param depth layers from the first that are packed
 * @throws FilterscopeError `engine-failed` when the thread dies; the signal's reason when it is aborted.
 */
export async function packWeights(
  { flavour, layers }: Weights,
  depth: number,
  method: ConvolutionMethod,
  signal?: AbortSignal,
): Promise<PackedWeights> {
  signal?.throwIfAborted();
  const shapes = LAYERS.slice(0, depth);
  const { places, sizeBytes } = placesOf(shapes, layers, method);
  const buffer = new SharedArrayBuffer(sizeBytes);
  const largest = Math.max(...shapes.map(({ layer }) => layers.get(layer)!.kernel.byteLength));
  const staging = new SharedArrayBuffer(largest);
  const thread = new Worker(new URL('./packing-thread.ts', import.meta.url), { workerData: buffer });
  try {
    for (const shape of shapes) {
      const weights = shared(layers.get(shape.layer)!, staging);
      const task: PackingTask = { shape, weights, places: places[shape.layer] };
      // A worker of node:worker_threads has no origin to name; the rule means browser windows.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      thread.postMessage(task);
      await once(thread, 'message', signal ? { signal } : {});
    }
  } catch (cause) {
    signal?.throwIfAborted();
    const message = `the engine failed: its weights could not be prepared: ${String(cause)}`;
    throw new FilterscopeError('engine-failed', message, { class: 'transient', cause });
  } finally {
    await thread.terminate();
  }
  return { flavour, bytes: new Uint8Array(buffer), layers: places };
}

/** One layer after the other, kernel before bias. */
function placesOf(shapes: readonly ConvolutionLayer[], layers: Weights['layers'], method: ConvolutionMethod) {
  let sizeBytes = 0;
  const take = (length: number) => {
    const place = { offset: sizeBytes, length };
    sizeBytes += length * 4;
    return place;
  };
  const places: Record<string, DirectWeights | WinogradWeights> = {};
  for (const shape of shapes) {
    const { layer, inputs, filters } = shape;
    places[layer] =
      method === 'winograd' && isWinogradLayer(shape)
        ? { kernels: take(POINTS * POINTS * filters * inputs), bias: take(POINTS * filters) }
        : { kernel: take(layers.get(layer)!.kernel.length), bias: take(filters) };
  }
  return { places, sizeBytes };
}

/** The weights as another thread can read them; a message would copy the whole file that they may be views of. */
function shared({ kernel, bias }: ConvolutionWeights, staging: SharedArrayBuffer): ConvolutionWeights {
  const copy = new Float32Array(staging, 0, kernel.length);
  copy.set(kernel);
  return { kernel: copy, bias: bias.slice() };
}
