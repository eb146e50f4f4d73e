import { parentPort, workerData } from 'node:worker_threads';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { ConvolutionWeights } from '@filterscope/vgg16/weights';
import { packLayer, type DirectWeights } from './pack-layer.ts';
import type { WinogradWeights } from './winograd-convolution.ts';

// The body of the thread that packs weights: the transforms take a second, for which no event loop may stand still.

export interface PackingTask {
  readonly shape: ConvolutionLayer;
  /** In shared memory; not touched after the reply. */
  readonly weights: ConvolutionWeights;
  readonly places: DirectWeights | WinogradWeights;
}

const port = parentPort!;
const into: SharedArrayBuffer = workerData;

port.on('message', ({ shape, weights, places }: PackingTask) => {
  packLayer(shape, weights, places, into);
  port.postMessage('packed');
});
