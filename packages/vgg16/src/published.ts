import { LAYERS } from './layers.ts';
import type { Flavour } from './weights.ts';

const PERCENT: Readonly<Record<Flavour, readonly number[]>> = {
  keras: [47.11, 31.36, 33.96, 51.99, 47.95, 48.86, 69.91, 65.33, 70.75, 87.3, 76.51, 79.77, 93.2],
  torchvision: [42.62, 53.71, 54.23, 68.75],
};

/**
 * Zero shares known for ImageNet, by Keras layer name, as fractions (0 … 1): after ReLU and before pooling, averaged
 * over images. With fit `crop` and bilinear resizing, 150 photos come within 0.7 points of them.
 *
 * - `keras`: all thirteen layers of the Keras/Caffe weights, from CNNergy (`VGG16_Main.m`); Hu et al. 2016, "Network
 *   Trimming", table 1, give the same to 0.05 points.
 * - `torchvision`: the first four layers of `IMAGENET1K_V1`; nothing is published for the deeper ones.
 */
export const PUBLISHED_ZERO_SHARES: Readonly<Record<Flavour, ReadonlyMap<string, number>>> = {
  keras: byLayer(PERCENT.keras),
  torchvision: byLayer(PERCENT.torchvision),
};

function byLayer(percent: readonly number[]): ReadonlyMap<string, number> {
  return new Map(percent.map((share, i) => [LAYERS[i].layer, share / 100]));
}
