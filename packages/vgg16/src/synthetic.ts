import { LAYERS, type ConvolutionLayer } from './layers.ts';
import { SYNTHETIC_CONSTANTS, type SyntheticConstants } from './synthetic-constants.ts';
import type { ConvolutionWeights, Weights } from './weights.ts';

/**
 * How much of a kernel's mean over its nine taps is kept. Plain random kernels answer above all to the brightness of
 * what they see, so that, ReLU upon ReLU, a deep filter ends up on everywhere or off everywhere, whatever the image.
 */
const MEAN_KEPT = 0.2;

const TAPS = 9;

/**
 * The seeded network: all thirteen layers in flavour `keras`, the same bits on every machine (integer random numbers and
 * the four operations only). Calibrated on photos to the published zero shares, with filters that differ, blank ones
 * among them, and activations as large as the real network's; beyond that its numbers mean nothing.
 */
export function syntheticWeights(): Weights {
  const layers = new Map<string, ConvolutionWeights>();
  for (const [index, layer] of LAYERS.entries()) {
    const constants = SYNTHETIC_CONSTANTS[index];
    const kernel = syntheticKernel(layer, constants.gain);
    layers.set(layer.layer, { kernel, bias: syntheticBias(layer, constants) });
  }
  return { flavour: 'keras', synthetic: true, name: 'synthetic', layers };
}

/**
 * A seeded kernel `[row, column, input, output]`: uniform in ±gain, but of the mean over the nine taps only a part is
 * kept, and of that nothing that is common to all inputs.
 */
export function syntheticKernel(layer: ConvolutionLayer, gain: number): Float32Array<ArrayBuffer> {
  const { inputs, filters } = layer;
  const pairs = inputs * filters;
  const random = uniform(2 * layer.torchIndex + 1);
  const kernel = new Float32Array(TAPS * pairs);
  const mean = new Float64Array(pairs);
  const common = new Float64Array(filters);
  for (let pair = 0; pair < pairs; pair++) {
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap++) {
      const value = random();
      kernel[tap * pairs + pair] = value;
      sum += value;
    }
    mean[pair] = sum / TAPS;
    common[pair % filters] += mean[pair] / inputs;
  }
  for (let pair = 0; pair < pairs; pair++) {
    const shift = MEAN_KEPT * (mean[pair] - common[pair % filters]) - mean[pair];
    for (let at = pair; at < kernel.length; at += pairs) kernel[at] = gain * (kernel[at] + shift);
  }
  return kernel;
}

/** A seeded bias `[output]`: uniform in `bias ± spread`. */
export function syntheticBias(
  layer: ConvolutionLayer,
  { bias, spread }: Pick<SyntheticConstants, 'bias' | 'spread'>,
): Float32Array<ArrayBuffer> {
  const random = uniform(2 * layer.torchIndex + 2);
  return Float32Array.from({ length: layer.filters }, () => bias + spread * random());
}

/** Numbers uniform in −1 … 1: Tommy Ettinger's mulberry32, 32-bit integer arithmetic and one exact division. */
function uniform(seed: number): () => number {
  let state = Math.imul(seed, 0x9e3779b9);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return (bits ^ (bits >>> 14)) / 2 ** 31;
  };
}
