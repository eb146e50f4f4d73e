import { createHash } from 'node:crypto';
import { filterCount, type Readings } from '@filterscope/statistics/readings';
import type { Engine } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';

/**
 * An engine without a network: readings that follow from an image's pixels alone and, unlike those of the stub in
 * `test/support`, are as hard to compress as real ones, so that all that is written has its real size.
 */
export function createVariedEngine(layers: readonly ConvolutionLayer[]): Engine {
  return {
    identity: { name: 'stub', version: '1', processor: 'any' },
    parallel: 2,
    batch: 1,
    infer: (images) => Promise.resolve(images.map((pixels) => ({ readings: readingsOf(layers, pixels) }))),
    async [Symbol.asyncDispose]() {},
  };
}

function readingsOf(layers: readonly ConvolutionLayer[], pixels: Uint8Array): Readings {
  const random = xorshift(createHash('sha256').update(pixels).digest().readUInt32LE());
  const count = filterCount(layers);
  const readings = {
    zeros: new Uint16Array(count),
    max: new Float32Array(count),
    mean: new Float32Array(count),
    position: new Uint16Array(count),
  };
  let filter = 0;
  for (const { filters, positions } of layers) {
    for (const end = filter + filters; filter < end; filter++) {
      const blank = random() % 8 === 0;
      readings.zeros[filter] = blank ? positions : random() % positions;
      readings.max[filter] = blank ? 0 : 1 + random() / 2 ** 24;
      readings.mean[filter] = blank ? 0 : (readings.max[filter] * (random() % 1000)) / 1000;
      readings.position[filter] = blank ? 0 : random() % positions;
    }
  }
  return readings;
}

/** Whole numbers below 2^32 (Marsaglia's xorshift). */
function xorshift(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
