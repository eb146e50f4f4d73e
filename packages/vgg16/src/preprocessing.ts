import { INPUT_SIZE } from './layers.ts';
import type { PreparedImage } from './engine.ts';
import type { Flavour } from './weights.ts';

/** How a flavour turns a byte into a number: `input = (byte − mean) × scale`, a channel at a time. */
export interface Preprocessing {
  /** Order of the network's input channels. */
  readonly channels: 'BGR' | 'RGB';
  /** `[channel]`, in the order of `channels`, in units of a byte (0 … 255). */
  readonly mean: readonly [number, number, number];
  /** `[channel]`, in the order of `channels`. */
  readonly scale: readonly [number, number, number];
}

/**
 * `keras`: BGR minus ImageNet's means, not scaled, as Caffe had it (`keras.applications.imagenet_utils`, mode "caffe").
 * `torchvision`: RGB as 0 … 1, mean 0.485 0.456 0.406, standard deviation 0.229 0.224 0.225 (`VGG16_Weights.IMAGENET1K_V1`).
 */
export const PREPROCESSING: Readonly<Record<Flavour, Preprocessing>> = {
  keras: { channels: 'BGR', mean: [103.939, 116.779, 123.68], scale: [1, 1, 1] },
  torchvision: {
    channels: 'RGB',
    mean: [0.485 * 255, 0.456 * 255, 0.406 * 255],
    scale: [1 / (0.229 * 255), 1 / (0.224 * 255), 1 / (0.225 * 255)],
  },
};

/**
 * The network's input for a prepared image: float32 `[channel, row, column]`, 3 × 224 × 224, channels in the flavour's
 * order. Engines do the same inside their graph; this is what they are checked against.
 */
export function preprocessPixels(image: PreparedImage, flavour: Flavour): Float32Array<ArrayBuffer> {
  const { channels, mean, scale } = PREPROCESSING[flavour];
  const plane = INPUT_SIZE * INPUT_SIZE;
  const input = new Float32Array(3 * plane);
  for (let channel = 0; channel < 3; channel++) {
    const source = channels === 'BGR' ? 2 - channel : channel;
    for (let i = 0; i < plane; i++) {
      input[channel * plane + i] = (image[i * 3 + source] - mean[channel]) * scale[channel];
    }
  }
  return input;
}
