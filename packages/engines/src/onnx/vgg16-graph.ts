import { LAYERS, INPUT_SIZE, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { filterCount } from '@filterscope/statistics/readings';
import { gridLayout } from '@filterscope/imaging/grid-layout';
import { PREPROCESSING } from '@filterscope/vgg16/preprocessing';
import type { Flavour } from '@filterscope/vgg16/weights';
import { createOnnxGraph, ONNX_TYPE, type OnnxGraph } from './onnx-model.ts';
import type { PackedWeights } from './packed-weights.ts';
import { winogradConvolution } from './winograd-convolution.ts';

/**
 * What a graph computes beside the forward pass:
 * - `readings`: one value a filter and statistic;
 * - `tiles`: readings, and each layer's grid of uint8 tiles scaled by the inputs `scale/<layer>`;
 * - `activations`: readings, and each layer's full activations;
 * - `forward`: the last pooling alone, the bare forward pass that speed is measured against.
 */
export type GraphMode = 'readings' | 'tiles' | 'activations' | 'forward';

const { float, uint8, int64 } = ONNX_TYPE;

/**
 * VGG16 up to the deepest of `layers`, as an ONNX file. Input `image` is uint8 `[1, 224, 224, 3]` RGB. Outputs, F being
 * the filters of `layers`: `positive` (share of positions above zero), `max`, `mean` float32 `[F]`, `position` int64
 * `[F]`; and a layer: `grid/<layer>` uint8 `[rows·size, columns·size]` or `map/<layer>` float32 `[filters, size, size]`.
 */
export function vgg16Graph(
  weights: PackedWeights,
  layers: readonly ConvolutionLayer[],
  mode: GraphMode,
): Uint8Array {
  const g = createOnnxGraph();
  const wanted = new Set(layers.map((layer) => layer.layer));
  const depth = LAYERS.findLastIndex(({ layer }) => wanted.has(layer));
  const readings: LayerReadings[] = [];
  let x = preprocess(g, weights.flavour);
  for (const layer of LAYERS.slice(0, depth + 1)) {
    x = convolution(g, x, layer, weights);
    if (wanted.has(layer.layer) && mode !== 'forward') {
      const maps = x;
      readings.push(layerReadings(g, maps, layer));
      const max = readings.at(-1)!.max;
      if (mode === 'tiles') tiles(g, maps, max, layer);
      if (mode === 'activations') {
        const shape = [layer.filters, layer.size, layer.size];
        g.output(g.op('Reshape', [maps, g.integers(shape)]), `map/${layer.layer}`, float, shape);
      }
    }
    const deepest = layer === LAYERS[depth];
    if (layer.pooled && (!deepest || mode === 'forward')) {
      x = g.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
    }
  }
  if (mode === 'forward')
    g.output(g.op('ReduceMax', [x], { axes: [1, 2, 3], keepdims: 0 }), 'last', float, [1]);
  else outputReadings(g, readings, layers);
  return g.encode();
}

const READINGS = ['positive', 'max', 'mean', 'position'] as const;

/** Names of a graph's outputs. */
export function graphOutputs(layers: readonly ConvolutionLayer[], mode: GraphMode): string[] {
  if (mode === 'forward') return ['last'];
  if (mode === 'readings') return [...READINGS];
  const prefix = mode === 'tiles' ? 'grid' : 'map';
  return [...READINGS, ...layers.map(({ layer }) => `${prefix}/${layer}`)];
}

/** Bytes to what the first layer was trained on; the padding of zeros comes after, so that it means the mean colour. */
function preprocess(g: OnnxGraph, flavour: Flavour): string {
  const image = g.input('image', uint8, [1, INPUT_SIZE, INPUT_SIZE, 3]);
  const rgb = g.op('Transpose', [g.op('Cast', [image], { to: float })], { perm: [0, 3, 1, 2] });
  const { channels, mean, scale } = PREPROCESSING[flavour];
  const x = channels === 'BGR' ? g.op('Gather', [rgb, g.integers([2, 1, 0])], { axis: 1 }) : rgb;
  return g.op('Mul', [g.op('Sub', [x, g.floats([1, 3, 1, 1], mean)]), g.floats([1, 3, 1, 1], scale)]);
}

function convolution(g: OnnxGraph, x: string, layer: ConvolutionLayer, packed: PackedWeights): string {
  const weights = packed.layers[layer.layer];
  if ('kernels' in weights) return winogradConvolution(g, x, layer, weights);
  const w = g.externalFloats([layer.filters, layer.inputs, 3, 3], weights.kernel);
  const b = g.externalFloats([layer.filters], weights.bias);
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] };
  return g.op('Relu', [g.op('Conv', [x, w, b], attributes)]);
}

interface LayerReadings {
  readonly positive: string;
  readonly max: string;
  readonly mean: string;
  readonly position: string;
}

/** Largest finite float32: `min(1, x · LARGEST)` is 1 for every x from the smallest normal float up. */
const LARGEST = 3.4028234663852886e38;

/**
 * The statistics of one layer's maps `[1, filters, size, size]`. HardSigmoid and GlobalAveragePool work in the blocked
 * layout that the runtime's convolutions keep their data in, so that the share above zero needs no second copy of it.
 * The first maximum in raster order is the first in its row, the first row that holds it: a maximum over each row, then
 * the position within the one row that won; ArgMax over the whole map costs three times as much.
 */
function layerReadings(g: OnnxGraph, maps: string, { filters, size }: ConvolutionLayer): LayerReadings {
  const flat = g.integers([filters]);
  const above = g.op('HardSigmoid', [maps], { alpha: { float: LARGEST }, beta: { float: 0 } });
  const rowMax = g.op('ReduceMax', [maps], { axes: [0, 3], keepdims: 0 }); // [filters, size]
  const row = g.op('ArgMax', [rowMax], { axis: 1, keepdims: 0 });
  const firstRow = g.integerRange(filters, size);
  const rows = g.op('Reshape', [maps, g.integers([filters * size, size])]);
  const winner = g.op('Gather', [rows, g.op('Add', [row, firstRow])], { axis: 0 }); // [filters, size]
  const column = g.op('ArgMax', [winner], { axis: 1, keepdims: 0 });
  return {
    positive: g.op('Reshape', [g.op('GlobalAveragePool', [above]), flat]),
    mean: g.op('Reshape', [g.op('GlobalAveragePool', [squareMeans(g, maps, size)]), flat]),
    max: g.op('ReduceMax', [rowMax], { axes: [1], keepdims: 0 }),
    position: g.op('Add', [g.op('Mul', [row, g.integers([size])]), column]),
  };
}

/** Side of the squares that means are taken over first; it divides every layer's size, and is that of the last. */
const SQUARE = 14;

/**
 * The mean of each square, whose mean is the map's. Added one after the other in float32, the 50,176 activations of one
 * map would be off by up to 7e-4 of their mean.
 */
function squareMeans(g: OnnxGraph, maps: string, size: number): string {
  if (size === SQUARE) return maps;
  return g.op('AveragePool', [maps], { kernel_shape: [SQUARE, SQUARE], strides: [SQUARE, SQUARE] });
}

function outputReadings(g: OnnxGraph, readings: LayerReadings[], layers: readonly ConvolutionLayer[]): void {
  const count = filterCount(layers);
  const concatenate = (parts: string[]) => g.op('Concat', parts, { axis: 0 });
  g.output(concatenate(readings.map((r) => r.positive)), 'positive', float, [count]);
  g.output(concatenate(readings.map((r) => r.max)), 'max', float, [count]);
  g.output(concatenate(readings.map((r) => r.mean)), 'mean', float, [count]);
  g.output(concatenate(readings.map((r) => r.position)), 'position', int64, [count]);
}

/**
 * QuantizeLinear divides by the filter's scale, rounds, clips to 255 and narrows to a byte in one pass. A scale of 0 asks
 * for the tile's own maximum.
 */
function tiles(g: OnnxGraph, maps: string, max: string, layer: ConvolutionLayer): void {
  const { filters, size } = layer;
  const given = g.input(`scale/${layer.layer}`, float, [filters]);
  const own = g.op('Max', [g.op('Div', [max, g.floats([], [255], 'full')]), g.floats([], [1e-30], 'tiny')]);
  const scale = g.op('Where', [g.op('Greater', [given, g.floats([], [0], 'zero')]), given, own]);
  const bytes = g.op('QuantizeLinear', [maps, scale, g.zeroBytes(filters)], { axis: 1 });
  const { columns, rows } = gridLayout(filters);
  const split = g.op('Reshape', [bytes, g.integers([rows, columns, size, size])]);
  const grid = g.op('Transpose', [split], { perm: [0, 2, 1, 3] });
  const dimensions = [rows * size, columns * size];
  g.output(g.op('Reshape', [grid, g.integers(dimensions)]), `grid/${layer.layer}`, uint8, dimensions);
}
