import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { ConvolutionWeights } from '@filterscope/vgg16/weights';
import type { ExternalFloats } from './onnx-model.ts';
import type { WinogradWeights } from './winograd-convolution.ts';
import { BIAS_POINT, transformKernels } from './winograd-transforms.ts';

/** Where a layer's kernel `[output, input, row, column]` (OIHW, as ONNX has it) and bias `[output]` are. */
export interface DirectWeights {
  readonly kernel: ExternalFloats;
  readonly bias: ExternalFloats;
}

/** Writes one layer's weights in the form that its convolution wants to their places in `into`. */
export function packLayer(
  { inputs, filters }: ConvolutionLayer,
  { kernel, bias }: ConvolutionWeights,
  places: DirectWeights | WinogradWeights,
  into: SharedArrayBuffer,
): void {
  const at = ({ offset, length }: ExternalFloats) => new Float32Array(into, offset, length);
  if ('kernels' in places) {
    transformKernels(kernel, inputs, filters, at(places.kernels));
    at(places.bias).set(bias, BIAS_POINT * filters);
  } else {
    transpose(kernel, inputs, filters, at(places.kernel));
    at(places.bias).set(bias);
  }
}

/** `[row, column, input, output]` to `[output, input, row, column]`. */
function transpose(kernel: Float32Array, inputs: number, filters: number, into: Float32Array): void {
  for (let tap = 0; tap < 9; tap++) {
    for (let input = 0; input < inputs; input++) {
      const from = (tap * inputs + input) * filters;
      for (let output = 0; output < filters; output++) {
        into[(output * inputs + input) * 9 + tap] = kernel[from + output];
      }
    }
  }
}
