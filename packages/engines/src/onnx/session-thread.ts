import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { EXTERNAL_FILE } from './onnx-model.ts';
import type { PackedWeights } from './packed-weights.ts';
import { vgg16Graph, type GraphMode } from './vgg16-graph.ts';

// The body of one engine thread. `InferenceSession.run` is synchronous inside and blocks the thread it is called on for
// the whole forward pass, therefore it gets a thread of its own.

export interface ThreadSettings {
  readonly weights: PackedWeights;
  readonly layers: readonly ConvolutionLayer[];
}
export interface RunRequest {
  readonly mode: GraphMode;
  readonly image: Uint8Array;
  readonly scales: Scales;
}
/** Grey scale of a layer's tiles: activation per grey level, a filter. */
export type Scales = readonly (readonly [layer: string, scale: Float32Array])[];
export type TensorData = Float32Array | BigInt64Array | Uint8Array;
export type Outputs = Readonly<Record<string, TensorData>>;

export type ThreadRequest = { readonly id: number; readonly run: RunRequest } | { readonly close: true };
export type ThreadReply =
  | { readonly id: number; readonly outputs: Outputs }
  | { readonly id: number; readonly error: string };

/** Sessions kept: the images at the edge between those with grids and those without ask for both in turn. */
const KEPT_SESSIONS = 2;

const port = parentPort!;
const { weights, layers }: ThreadSettings = workerData;
const sessions = new Map<GraphMode, Promise<InferenceSession>>();

port.on('message', (request: ThreadRequest) => {
  if ('close' in request) void close();
  else void answer(request.id, request.run);
});

async function answer(id: number, request: RunRequest): Promise<void> {
  try {
    const outputs = await run(request);
    const buffers = Object.values(outputs).flatMap(({ buffer }) =>
      buffer instanceof ArrayBuffer ? [buffer] : [],
    );
    port.postMessage({ id, outputs } satisfies ThreadReply, buffers);
  } catch (error) {
    port.postMessage({ id, error: String(error) } satisfies ThreadReply);
  }
}

async function close(): Promise<void> {
  for (const session of sessions.values()) await (await session).release();
  port.close();
}

async function run({ mode, image, scales }: RunRequest): Promise<Outputs> {
  const session = await sessionFor(mode);
  const feeds: Record<string, Tensor> = { image: new Tensor('uint8', image, [1, 224, 224, 3]) };
  for (const [layer, scale] of scales) feeds[`scale/${layer}`] = new Tensor('float32', scale, [scale.length]);
  const results = await session.run(feeds);
  return Object.fromEntries(
    Object.entries(results).map(([name, tensor]) => [name, tensor.data as TensorData]),
  );
}

async function sessionFor(mode: GraphMode): Promise<InferenceSession> {
  const session = sessions.get(mode) ?? createSession(mode);
  sessions.delete(mode);
  sessions.set(mode, session); // the most recently used is last
  const [oldest] = sessions.keys();
  if (sessions.size > KEPT_SESSIONS && oldest !== undefined) {
    const old = sessions.get(oldest);
    sessions.delete(oldest);
    await (await old)?.release();
  }
  return session;
}

function createSession(mode: GraphMode): Promise<InferenceSession> {
  return InferenceSession.create(vgg16Graph(weights, layers, mode), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    enableCpuMemArena: false,
    externalData: [{ path: EXTERNAL_FILE, data: weights.bytes }],
    // With spinning threads a busy machine falls to a third of its speed; without, a quiet one loses nothing.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}
