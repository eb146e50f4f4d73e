/** How a network was trained to see pixels: `keras` is BGR minus means (Caffe's), `torchvision` RGB scaled and normalised. */
export type Flavour = 'keras' | 'torchvision';

/** Weights of one convolution. */
export interface ConvolutionWeights {
  /** `[row, column, input, output]` (HWIO), 3 × 3 × inputs × filters float32. Inputs of the first layer are in the flavour's channel order. */
  readonly kernel: Float32Array;
  /** `[output]`. */
  readonly bias: Float32Array;
}

/** Weights of a network, possibly cut after some layer: the layers that are there, by Keras name. */
export interface Weights {
  readonly flavour: Flavour;
  /** True for the seeded network, whose numbers mean nothing about real images. */
  readonly synthetic: boolean;
  /** What a person would call them: `imagenet`, `synthetic` or a file's name. */
  readonly name: string;
  readonly layers: ReadonlyMap<string, ConvolutionWeights>;
}
