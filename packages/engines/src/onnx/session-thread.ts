import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { EXTERNAL_FILE } from './onnx-model.ts';
import type { PackedWeights } from './packed-weights.ts';
import { vgg16Graph, type GraphMode, type GraphTarget } from './vgg16-graph.ts';

// The body of one engine thread. `InferenceSession.run` is synchronous inside and blocks the thread it is called on for
// the whole forward pass, therefore it gets a thread of its own.

export interface ThreadSettings {
  readonly weights: PackedWeights;
  readonly layers: readonly ConvolutionLayer[];
  readonly device: GraphTarget['device'];
}
/** Grey scale of a layer's tiles: activation per grey level, a filter; 0 for the tile's own maximum. */
export type Scales = readonly (readonly [layer: string, scale: Float32Array])[];
export type TensorData = Float32Array | Int32Array | Uint8Array;
/** By name, of all images of the batch, one after the other. */
export type Outputs = Readonly<Record<string, TensorData>>;

export type ThreadTask =
  /** Makes a network; on a processor in place of the one before. */
  | { readonly kind: 'load'; readonly mode: GraphMode; readonly batch: number }
  | {
      readonly kind: 'run';
      /** Of a network that is loaded. */
      readonly mode: GraphMode;
      /** As many as the network takes, or fewer. */
      readonly images: readonly Uint8Array[];
      /** The same for all of them. */
      readonly scales: Scales;
      readonly outputs: readonly string[];
    }
  | { readonly kind: 'close' };
export interface ThreadRequest {
  readonly id: number;
  readonly task: ThreadTask;
}
export type ThreadReply =
  | { readonly id: number; readonly outputs: Outputs }
  | { readonly id: number; readonly error: string };

const port = parentPort!;
const { weights, layers, device }: ThreadSettings = workerData;
const networks = new Map<GraphMode, { session: InferenceSession; batch: number }>();

port.on('message', (request: ThreadRequest) => void answer(request));

async function answer({ id, task }: ThreadRequest): Promise<void> {
  try {
    const outputs = await carryOut(task);
    const buffers = Object.values(outputs).flatMap(({ buffer }) =>
      buffer instanceof ArrayBuffer ? [buffer] : [],
    );
    port.postMessage({ id, outputs } satisfies ThreadReply, buffers);
  } catch (error) {
    port.postMessage({ id, error: String(error) } satisfies ThreadReply);
  }
}

async function carryOut(task: ThreadTask): Promise<Outputs> {
  if (task.kind === 'run') return run(task);
  if (task.kind === 'close') {
    await release();
    port.close();
  } else {
    if (device === 'cpu') await release();
    const { mode, batch } = task;
    networks.set(mode, { session: await createSession(mode, batch), batch });
  }
  return {};
}

async function release(): Promise<void> {
  for (const [mode, { session }] of networks) {
    networks.delete(mode);
    await session.release();
  }
}

async function run({
  mode,
  images,
  scales,
  outputs,
}: Extract<ThreadTask, { kind: 'run' }>): Promise<Outputs> {
  const { session, batch } = networks.get(mode)!;
  const feeds: Record<string, Tensor> = {
    image: new Tensor('uint8', stacked(images, batch), [batch, 224, 224, 3]),
  };
  for (const [layer, scale] of scales) {
    const all = Float32Array.from({ length: batch * scale.length }, (_, i) => scale[i % scale.length]);
    feeds[`scale/${layer}`] = new Tensor('float32', all, [batch, scale.length]);
  }
  const results = await session.run(feeds, outputs);
  return Object.fromEntries(outputs.map((name) => [name, results[name].data as TensorData]));
}

/** The images one after the other, black ones in places that are left. */
function stacked(images: readonly Uint8Array[], batch: number): Uint8Array {
  if (batch === 1) return images[0];
  const whole = new Uint8Array(batch * 224 * 224 * 3);
  for (const [i, image] of images.entries()) whole.set(image, (i * whole.length) / batch);
  return whole;
}

function createSession(mode: GraphMode, batch: number): Promise<InferenceSession> {
  return InferenceSession.create(vgg16Graph(weights, layers, mode, { device, batch }), {
    executionProviders: device === 'gpu' ? ['webgpu', 'cpu'] : ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    externalData: [{ path: EXTERNAL_FILE, data: weights.bytes }],
    // With spinning threads a busy machine falls to a third of its speed; without, a quiet one loses nothing.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}
