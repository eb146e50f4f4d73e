import type { Flavour, Weights } from './weights.ts';

/**
 * First biases of block1_conv1 of the two published ImageNet networks: Keras's
 * `vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5` (as in Caffe's original) and torchvision's `VGG16_Weights.IMAGENET1K_V1`.
 */
const FIRST_BIASES: Readonly<Record<Flavour, readonly number[]>> = {
  keras: [0.73429835, 0.093403675, 0.06775674, 0.8862966],
  torchvision: [0.40338799, 0.37779424, 0.46436158, -0.32276368],
};

/**
 * Which published ImageNet network these weights are or began as, told by the first biases; null for any other. A copy
 * fine-tuned with its first layer frozen is taken for the original.
 */
export function recogniseImagenet({ layers }: Weights): Flavour | null {
  const bias = layers.get('block1_conv1')?.bias;
  if (!bias) return null;
  for (const [flavour, expected] of Object.entries(FIRST_BIASES) as [Flavour, readonly number[]][]) {
    if (expected.every((value, i) => Math.abs(bias[i] - value) < 1e-6)) return flavour;
  }
  return null;
}
