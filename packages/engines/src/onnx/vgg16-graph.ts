import { INPUT_SIZE, LAYERS, networkDepth, type ConvolutionLayer } from '@filterscope/vgg16/layers';
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

const { float, uint8, int32 } = ONNX_TYPE;

/** What a graph is made for. The numbers are the same within rounding. */
export interface GraphTarget {
  readonly device: 'cpu' | 'gpu';
  /** Images at a time. */
  readonly batch: number;
}

/**
 * VGG16 up to the deepest of `layers`, as an ONNX file. Input `image` is uint8 `[batch, 224, 224, 3]` RGB. Outputs, F being
 * the filters of `layers`: `positive` (share of positions above zero), `max`, `mean` float32 `[batch, F]`, `position` int32
 * `[batch, F]`; and a layer: `grid/<layer>` uint8 `[batch, rows·size, columns·size]` or `map/<layer>` float32
 * `[batch, filters, size, size]`. Mode `forward` gives the largest value of its last pooling, `last` `[batch]`.
 */
export function vgg16Graph(
  weights: PackedWeights,
  layers: readonly ConvolutionLayer[],
  mode: GraphMode,
  target: GraphTarget,
): Uint8Array {
  const { batch } = target;
  const g = createOnnxGraph();
  const wanted = new Set(layers.map((layer) => layer.layer));
  const shapes = LAYERS.slice(0, networkDepth(layers));
  const readings: LayerReadings[] = [];
  let x = preprocess(g, weights.flavour, batch);
  for (const layer of shapes) {
    x = convolution(g, x, layer, weights);
    if (wanted.has(layer.layer) && mode !== 'forward') {
      const maps = x;
      readings.push(layerReadings(g, maps, layer, target));
      const max = readings.at(-1)!.max;
      if (mode === 'tiles') tiles(g, maps, max, layer, batch);
      if (mode === 'activations') {
        g.output(maps, `map/${layer.layer}`, float, [batch, layer.filters, layer.size, layer.size]);
      }
    }
    const deepest = layer === shapes.at(-1);
    if (layer.pooled && (!deepest || mode === 'forward')) {
      x = g.op('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
    }
  }
  if (mode === 'forward')
    g.output(g.op('ReduceMax', [x], { axes: [1, 2, 3], keepdims: 0 }), 'last', float, [batch]);
  else outputReadings(g, readings, layers, batch);
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
function preprocess(g: OnnxGraph, flavour: Flavour, batch: number): string {
  const image = g.input('image', uint8, [batch, INPUT_SIZE, INPUT_SIZE, 3]);
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
 * The statistics of one layer's maps `[batch, filters, size, size]`, each `[batch, filters]`. The first maximum in raster order is the
 * first in its row, the first row that holds it: a maximum over each row, then the position within the one row that won; ArgMax over
 * the whole map costs three times as much, and gives int64, which GPUs cannot work with.
 */
function layerReadings(
  g: OnnxGraph,
  maps: string,
  layer: ConvolutionLayer,
  { batch, device }: GraphTarget,
): LayerReadings {
  const { filters, size } = layer;
  const each = g.integers([batch, filters]);
  const above = g.op('HardSigmoid', [maps], { alpha: { float: LARGEST }, beta: { float: 0 } });
  const rowMax = g.op('ReduceMax', [maps], { axes: [3], keepdims: 0 }); // [batch, filters, size]
  const row = g.op('Reshape', [firstLargest(g, rowMax, 2, size), g.integers([batch * filters])]);
  const rows = g.op('Reshape', [maps, g.integers([batch * filters * size, size])]);
  const firstRow = g.integerRange(batch * filters, size);
  const winner = g.op('Gather', [rows, g.op('Add', [row, firstRow])], { axis: 0 }); // [batch·filters, size]
  const column = firstLargest(g, winner, 1, size);
  const position = g.op('Add', [g.op('Mul', [row, g.integer(size)]), column]);
  const mean = device === 'cpu' ? pooledMean : meanByRows;
  return {
    positive: g.op('Reshape', [mean(g, above, layer, false), each]),
    mean: g.op('Reshape', [mean(g, maps, layer, true), each]),
    max: g.op('ReduceMax', [rowMax], { axes: [2], keepdims: 0 }),
    position: g.op('Reshape', [position, each]),
  };
}

/** Along the last axis, which has `size` elements, the first index of the largest, as int32; the last index where there is none, as among NaN. */
function firstLargest(g: OnnxGraph, x: string, axis: number, size: number): string {
  const isLargest = g.op('Equal', [x, g.op('ReduceMax', [x], { axes: [axis], keepdims: 1 })]);
  const indices = Array.from({ length: size }, (_, i) => i);
  const index = g.floats([size], indices, `indices${size}`);
  const candidates = g.op('Where', [isLargest, index, g.floats([], [size - 1], `last${size}`)]);
  return g.op('Cast', [g.op('ReduceMin', [candidates], { axes: [axis], keepdims: 0 })], { to: int32 });
}

/**
 * Pooling works in the blocked layout that the runtime's convolutions keep their data in on a processor: no second copy is made.
 * @param fine takes the mean of each square first, whose mean is the map's. Added one after the other in float32, the 50,176 activations of
 * one map would be off by up to 7e-4 of their mean; ones and zeros are not.
 */
function pooledMean(g: OnnxGraph, x: string, { size }: ConvolutionLayer, fine: boolean): string {
  const square = { kernel_shape: [SQUARE, SQUARE], strides: [SQUARE, SQUARE] };
  return g.op('GlobalAveragePool', [fine && size !== SQUARE ? g.op('AveragePool', [x], square) : x]);
}

/** On a GPU pooling over a map is the work of one thread; sums of rows are that of many, and are exact for ones and zeros. */
function meanByRows(g: OnnxGraph, x: string, { positions }: ConvolutionLayer): string {
  const sum = (of: string, axis: number) => g.op('ReduceSum', [of, g.integers([axis])], { keepdims: 0 });
  return g.op('Div', [sum(sum(x, 3), 2), g.floats([], [positions], `positions${positions}`)]);
}

/** Side of the squares that means are taken over first; it divides every layer's size, and is that of the last. */
const SQUARE = 14;

function outputReadings(
  g: OnnxGraph,
  readings: LayerReadings[],
  layers: readonly ConvolutionLayer[],
  batch: number,
): void {
  const shape = [batch, filterCount(layers)];
  for (const name of READINGS) {
    const all = g.op(
      'Concat',
      readings.map((reading) => reading[name]),
      { axis: 1 },
    );
    g.output(all, name, name === 'position' ? int32 : float, shape);
  }
}

/**
 * QuantizeLinear divides by the filter's scale, rounds, clips to 255 and narrows to a byte in one pass. A scale of 0 asks
 * for the tile's own maximum.
 */
function tiles(g: OnnxGraph, maps: string, max: string, layer: ConvolutionLayer, batch: number): void {
  const { filters, size } = layer;
  const given = g.input(`scale/${layer.layer}`, float, [batch, filters]);
  const own = g.op('Max', [g.op('Div', [max, g.floats([], [255], 'full')]), g.floats([], [1e-30], 'tiny')]);
  const scale = g.op('Where', [g.op('Greater', [given, g.floats([], [0], 'zero')]), given, own]);
  const flat = g.op('Reshape', [maps, g.integers([batch * filters, size, size])]);
  const flatScale = g.op('Reshape', [scale, g.integers([batch * filters])]);
  const bytes = g.op('QuantizeLinear', [flat, flatScale, g.zeroBytes(batch * filters)], { axis: 0 });
  const { columns, rows } = gridLayout(filters);
  const split = g.op('Reshape', [bytes, g.integers([batch, rows, columns, size, size])]);
  const grid = g.op('Transpose', [split], { perm: [0, 1, 3, 2, 4] });
  const dimensions = [batch, rows * size, columns * size];
  g.output(g.op('Reshape', [grid, g.integers(dimensions)]), `grid/${layer.layer}`, uint8, dimensions);
}
