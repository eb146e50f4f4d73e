import { setImmediate } from 'node:timers/promises';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { LAYERS, type ConvolutionLayer } from './layers.ts';
import type { ConvolutionWeights } from './weights.ts';

/** An array in a file that may be a convolution's kernel or bias. */
export interface LayerArray {
  /** Keras name of the convolution. */
  readonly layer: string;
  readonly part: 'kernel' | 'bias';
  /** Its name in the file, for messages. */
  readonly name: string;
  readonly shape: readonly number[];
  /** Order of a kernel's axes. */
  readonly layout: 'HWIO' | 'OIHW';
  /** Its numbers; called when the shape is known to be right. */
  readonly read: () => unknown;
}

/**
 * The convolutions of which both kernel and bias are there, in network order; other arrays are left alone. Lets the event
 * loop turn after each.
 * @throws FilterscopeError `bad-weights-file`, naming file, array, shape found and shape expected, when an array has the
 * wrong shape, holds other than float16, 32 or 64, or NaN or infinity, or is there twice.
 */
export async function layersOf(
  arrays: readonly LayerArray[],
  fileName: string,
): Promise<Map<string, ConvolutionWeights>> {
  const layers = new Map<string, ConvolutionWeights>();
  for (const layer of LAYERS) {
    const kernel = only(arrays, layer, 'kernel', fileName);
    const bias = only(arrays, layer, 'bias', fileName);
    if (kernel === undefined || bias === undefined) continue;
    await setImmediate();
    const numbers = numbersOf(kernel, kernelShape(layer, kernel.layout), fileName);
    layers.set(layer.layer, {
      kernel: kernel.layout === 'OIHW' ? hwioOf(numbers, layer) : numbers,
      bias: numbersOf(bias, [layer.filters], fileName),
    });
  }
  return layers;
}

function only(
  arrays: readonly LayerArray[],
  { layer }: ConvolutionLayer,
  part: LayerArray['part'],
  fileName: string,
): LayerArray | undefined {
  const found = arrays.filter((array) => array.layer === layer && array.part === part);
  if (found.length > 1) {
    const names = found.map(({ name }) => name).join(', ');
    throw bad(`${fileName} holds more than one ${part} of ${layer}: ${names}`);
  }
  return found[0];
}

function kernelShape({ inputs, filters }: ConvolutionLayer, layout: LayerArray['layout']): number[] {
  return layout === 'HWIO' ? [3, 3, inputs, filters] : [filters, inputs, 3, 3];
}

function numbersOf(
  { name, shape, read }: LayerArray,
  expected: readonly number[],
  fileName: string,
): Float32Array {
  if (shape.join() !== expected.join()) {
    const message = `${name} in ${fileName} has shape [${shape.join(', ')}]; VGG16 needs [${expected.join(', ')}]`;
    throw bad(message);
  }
  const data = read();
  if (!(data instanceof Float32Array) && !(data instanceof Float64Array)) {
    throw bad(`${name} in ${fileName} does not hold floating-point numbers; save the weights as float32`);
  }
  const numbers = data instanceof Float32Array ? data : Float32Array.from(data);
  const at = firstNotFinite(numbers);
  if (at >= 0)
    throw bad(`${name} in ${fileName} holds ${numbers[at]} (number ${at}): these weights are of no use`);
  return numbers;
}

/** A loop of its own: five times as fast as `findIndex`. @returns −1 when all are finite */
function firstNotFinite(numbers: Float32Array): number {
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return i;
  return -1;
}

/** `[output, input, row, column]` to `[row, column, input, output]`. */
function hwioOf(oihw: Float32Array, { inputs, filters }: ConvolutionLayer): Float32Array {
  const pairs = inputs * filters;
  const hwio = new Float32Array(oihw.length);
  for (let filter = 0; filter < filters; filter++) {
    for (let input = 0; input < inputs; input++) {
      const from = (filter * inputs + input) * 9;
      for (let tap = 0; tap < 9; tap++) hwio[tap * pairs + input * filters + filter] = oihw[from + tap];
    }
  }
  return hwio;
}

function bad(message: string): FilterscopeError {
  return new FilterscopeError('bad-weights-file', message);
}
