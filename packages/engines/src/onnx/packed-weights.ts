import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Flavour, Weights } from '@filterscope/vgg16/weights';
import type { ExternalFloats } from './onnx-model.ts';

/** Weights as graphs refer to them: one piece of shared memory, which the sessions of all threads read. */
export interface PackedWeights {
  readonly flavour: Flavour;
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** By Keras name: kernel `[output, input, row, column]` (OIHW, as ONNX has it) and bias `[output]`. */
  readonly layers: Readonly<
    Record<string, { readonly kernel: ExternalFloats; readonly bias: ExternalFloats }>
  >;
}

/** @param depth layers from the first that are packed */
export function packWeights({ flavour, layers }: Weights, depth: number): PackedWeights {
  const shapes = LAYERS.slice(0, depth);
  const length = shapes.reduce((sum, { inputs, filters }) => sum + filters * (inputs * 9 + 1), 0);
  const buffer = new SharedArrayBuffer(length * 4);
  const packed: Record<string, { kernel: ExternalFloats; bias: ExternalFloats }> = {};
  let offset = 0;
  const take = (count: number) => {
    const place = { offset, length: count };
    offset += count * 4;
    return { place, floats: new Float32Array(buffer, place.offset, count) };
  };
  for (const shape of shapes) {
    const { kernel, bias } = layers.get(shape.layer)!;
    const k = take(kernel.length);
    const b = take(bias.length);
    hwioToOihw(kernel, shape, k.floats);
    b.floats.set(bias);
    packed[shape.layer] = { kernel: k.place, bias: b.place };
  }
  return { flavour, bytes: new Uint8Array(buffer), layers: packed };
}

function hwioToOihw(kernel: Float32Array, { inputs, filters }: ConvolutionLayer, into: Float32Array): void {
  for (let tap = 0; tap < 9; tap++) {
    for (let input = 0; input < inputs; input++) {
      const from = (tap * inputs + input) * filters;
      for (let output = 0; output < filters; output++)
        into[(output * inputs + input) * 9 + tap] = kernel[from + output];
    }
  }
}
