import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { ConvolutionWeights, Flavour, Weights } from '@filterscope/vgg16/weights';
import type { ExternalFloats } from './onnx-model.ts';
import type { WinogradWeights } from './winograd-convolution.ts';
import { BIAS_POINT, POINTS, transformKernels } from './winograd-transforms.ts';

/** How convolutions are computed: by the runtime's own, or where it pays by `winogradConvolution`. */
export type ConvolutionMethod = 'direct' | 'winograd';

/**
 * What is fastest on a processor (see `processorFamily`). `winogradConvolution` lives off the blocked layout that the runtime
 * has for x64; it was measured with AVX-512.
 */
export function convolutionMethod(processor: string): ConvolutionMethod {
  return processor.startsWith('x64-avx') ? 'winograd' : 'direct';
}

/**
 * Not the first layer, whose three inputs are too few, and not block 5: its kernels would take 113 MB more in each network,
 * to win 15 of 150 ms.
 */
const isWinogradLayer = ({ inputs, block }: ConvolutionLayer) => inputs > 3 && block < 5;

/** Kernel `[output, input, row, column]` (OIHW, as ONNX has it) and bias `[output]`. */
interface DirectWeights {
  readonly kernel: ExternalFloats;
  readonly bias: ExternalFloats;
}

/** Weights as graphs refer to them: one piece of shared memory, which the sessions of all threads read. */
export interface PackedWeights {
  readonly flavour: Flavour;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** By Keras name. */
  readonly layers: Readonly<Record<string, DirectWeights | WinogradWeights>>;
}

/** @param depth layers from the first that are packed */
export function packWeights(
  { flavour, layers }: Weights,
  depth: number,
  method: ConvolutionMethod,
): PackedWeights {
  const shapes = LAYERS.slice(0, depth);
  const isDirect = (shape: ConvolutionLayer) => method === 'direct' || !isWinogradLayer(shape);
  const sizeOf = (shape: ConvolutionLayer) => {
    const { inputs, filters } = shape;
    return isDirect(shape) ? filters * (inputs * 9 + 1) : POINTS * filters * (POINTS * inputs + 1);
  };
  const buffer = new SharedArrayBuffer(4 * shapes.reduce((sum, shape) => sum + sizeOf(shape), 0));
  let offset = 0;
  const take = (length: number) => {
    const place = { offset, length };
    offset += length * 4;
    return { place, floats: new Float32Array(buffer, place.offset, length) };
  };
  const packed = shapes.map((shape) => {
    const weights = layers.get(shape.layer)!;
    return [
      shape.layer,
      isDirect(shape) ? packDirect(shape, weights, take) : packWinograd(shape, weights, take),
    ] as const;
  });
  return { flavour, bytes: new Uint8Array(buffer), layers: Object.fromEntries(packed) };
}

type Take = (length: number) => { place: ExternalFloats; floats: Float32Array };

function packDirect(
  { inputs, filters }: ConvolutionLayer,
  { kernel, bias }: ConvolutionWeights,
  take: Take,
): DirectWeights {
  const kernels = take(kernel.length);
  for (let tap = 0; tap < 9; tap++) {
    for (let input = 0; input < inputs; input++) {
      const from = (tap * inputs + input) * filters;
      for (let output = 0; output < filters; output++) {
        kernels.floats[(output * inputs + input) * 9 + tap] = kernel[from + output];
      }
    }
  }
  const biases = take(filters);
  biases.floats.set(bias);
  return { kernel: kernels.place, bias: biases.place };
}

function packWinograd(
  { inputs, filters }: ConvolutionLayer,
  { kernel, bias }: ConvolutionWeights,
  take: Take,
): WinogradWeights {
  const kernels = take(POINTS * POINTS * filters * inputs);
  transformKernels(kernel, inputs, filters, kernels.floats);
  const biases = take(POINTS * filters);
  biases.floats.set(bias, BIAS_POINT * filters);
  return { kernels: kernels.place, bias: biases.place };
}
