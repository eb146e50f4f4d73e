import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNetwork } from '@filterscope/engines/onnx/network';
import { packWeights, type ConvolutionMethod } from '@filterscope/engines/onnx/packed-weights';
import { graphOutputs } from '@filterscope/engines/onnx/vgg16-graph';
import { createPool } from '@filterscope/engines/pool';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { LAYERS } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';

/** The pictures of a folder, decoded. */
export async function preparedImages(folder: string): Promise<Uint8Array[]> {
  const pictures: Uint8Array[] = [];
  for (const name of await readdir(folder)) {
    const prepared = await prepareImage(await readFile(join(folder, name)), 'crop');
    if (prepared.status === 'ok') pictures.push(prepared.pixels);
  }
  return pictures;
}

/** Networks in threads of their own, and a pool that gives out the next free one. */
export async function networks(weights: Weights, threads: number, method: ConvolutionMethod) {
  const packed = await packWeights(weights, LAYERS.length, method);
  const units = Array.from({ length: threads }, () =>
    startNetwork(packed, LAYERS, { device: 'cpu', batch: 1 }, (build) => build()),
  );
  return {
    pool: createPool(units),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(units.map((unit) => unit[Symbol.asyncDispose]()));
    },
  };
}

/** `threads` threads that do nothing but the forward pass to block5_pool on pictures decoded beforehand. */
export async function forwardPass(
  weights: Weights,
  folder: string,
  threads: number,
  method: ConvolutionMethod,
) {
  const pictures = await preparedImages(folder);
  const { pool, [Symbol.asyncDispose]: dispose } = await networks(weights, threads, method);
  const outputs = graphOutputs(LAYERS, 'forward');
  const one = (image: Uint8Array) =>
    pool.use((unit) => unit.run({ mode: 'forward', images: [image], scales: [], outputs }));
  return {
    /** @returns images a second. */
    async run(): Promise<number> {
      const start = performance.now();
      await Promise.all(pictures.map(one));
      return (pictures.length / (performance.now() - start)) * 1000;
    },
    [Symbol.asyncDispose]: dispose,
  };
}
