import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startEngineThread } from '@filterscope/engines/onnx/engine-thread';
import { packWeights } from '@filterscope/engines/onnx/packed-weights';
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

/** `threads` threads that do nothing but the forward pass to block5_pool on pictures decoded beforehand. */
export async function forwardPass(weights: Weights, folder: string, threads: number) {
  const pictures = await preparedImages(folder);
  const packed = packWeights(weights, LAYERS.length);
  const units = Array.from({ length: threads }, () => startEngineThread({ weights: packed, layers: LAYERS }));
  const pool = createPool(units);
  return {
    /** @returns images a second. */
    async run(): Promise<number> {
      const start = performance.now();
      await Promise.all(
        pictures.map((image) => pool.use((unit) => unit.run({ mode: 'forward', image, scales: [] }))),
      );
      return (pictures.length / (performance.now() - start)) * 1000;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(units.map((unit) => unit[Symbol.asyncDispose]()));
    },
  };
}
