import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { ExternalFloats, OnnxGraph } from './onnx-model.ts';
import { BIAS_POINT, inputTaps, OUTPUT_TRANSFORM, POINTS, TILE, type Taps } from './winograd-transforms.ts';

/** Where a layer's weights for {@link winogradConvolution} are. */
export interface WinogradWeights {
  /** `[pointColumn, pointRow, output, input]` */
  readonly kernels: ExternalFloats;
  /** `[pointRow, output]`: the bias at {@link BIAS_POINT}, else 0. */
  readonly bias: ExternalFloats;
}

/** Layers whose intermediate results would not stay in the cache are worked on in bands of this many rows of tiles. */
const BAND_ROWS = 4;
const BANDED_LAYERS = new Set(['block1_conv2', 'block2_conv2']);

/** Rows of tiles `from … from + rows` out of `tiles` × `tiles`. */
interface Band {
  readonly from: number;
  readonly rows: number;
  readonly tiles: number;
}

/**
 * Convolution 3×3 and ReLU of `[1, inputs, size, size]`, in standard operators that stay in the runtime's blocked layout: the
 * input transform as depthwise convolutions along one axis and then the other, the products as grouped 1×1 convolutions,
 * the output transform as two products with a constant matrix. About twice as fast as the runtime's own convolution,
 * which is at the processor's arithmetic limit, because it multiplies four times less.
 */
export function winogradConvolution(
  g: OnnxGraph,
  x: string,
  layer: ConvolutionLayer,
  weights: WinogradWeights,
): string {
  const { size } = layer;
  const tiles = Math.ceil(size / TILE);
  const rows = BANDED_LAYERS.has(layer.layer) ? BAND_ROWS : tiles;
  const bands: string[] = [];
  for (let from = 0; from < tiles; from += rows) {
    const band = { from, rows: Math.min(rows, tiles - from), tiles };
    bands.push(
      outputTransform(g, products(g, rowTransform(g, x, layer, band), layer, weights, band), layer, band),
    );
  }
  const whole = bands.length === 1 ? bands[0] : g.op('Concat', bands, { axis: 2 });
  if (tiles * TILE === size) return whole;
  return g.op('Slice', [whole, g.integers([0, 0]), g.integers([size, size]), g.integers([2, 3])]);
}

/** Bᵀ d along the columns: `[1, pointRow · inputs, rows, size]`. */
function rowTransform(
  g: OnnxGraph,
  x: string,
  { inputs, size }: ConvolutionLayer,
  { from, rows, tiles }: Band,
): string {
  const whole = rows === tiles;
  // A band needs its tiles' inputs with one row above and one below, where there are any. Its taps all begin at the first
  // of them, since a convolution cannot leave rows out; over the whole height, less padding does that.
  const start = Math.max(0, from * TILE - 1);
  const end = Math.min(size, (from + rows) * TILE + 1);
  const slice = () => g.op('Slice', [x, g.integers([start]), g.integers([end]), g.integers([2])]);
  const source = whole ? x : slice();
  const points = inputTaps(whole ? undefined : 0).map(({ first, weights, dilation, extent }) => {
    const before = (from === 0 ? 1 : 0) - first;
    const after = Math.max(0, (rows - 1) * TILE + extent - (end - start) - before);
    return g.op('Conv', [source, depthwise(g, inputs, weights, [weights.length, 1])], {
      kernel_shape: [weights.length, 1],
      strides: [TILE, 1],
      dilations: [dilation, 1],
      pads: [before, 0, after, 0],
      group: inputs,
    });
  });
  return g.op('Concat', points, { axis: 1 });
}

/** For each column of points the products with the kernels, summed over inputs: six of `[1, pointRow · filters, rows, tiles]`. */
function products(
  g: OnnxGraph,
  x: string,
  layer: ConvolutionLayer,
  weights: WinogradWeights,
  { tiles }: Band,
): string[] {
  const { inputs, filters } = layer;
  const channels = POINTS * inputs;
  const length = POINTS * filters * inputs;
  return inputTaps().map((taps, column) => {
    const transformed = columnTransform(g, x, layer.size, channels, tiles, taps);
    const offset = weights.kernels.offset + column * length * 4;
    const kernels = g.externalFloats([POINTS * filters, inputs, 1, 1], { offset, length });
    const bias = column === BIAS_POINT ? [g.externalFloats([POINTS * filters], weights.bias)] : [];
    return g.op('Conv', [transformed, kernels, ...bias], { kernel_shape: [1, 1], group: POINTS });
  });
}

function columnTransform(
  g: OnnxGraph,
  x: string,
  size: number,
  channels: number,
  tiles: number,
  taps: Taps,
): string {
  const { first, weights, dilation, extent } = taps;
  const before = 1 - first;
  const after = Math.max(0, (tiles - 1) * TILE + extent - size - before);
  return g.op('Conv', [x, depthwise(g, channels, weights, [1, weights.length])], {
    kernel_shape: [1, weights.length],
    strides: [1, TILE],
    dilations: [1, dilation],
    pads: [0, before, 0, after],
    group: channels,
  });
}

/** The same taps for every channel. */
function depthwise(
  g: OnnxGraph,
  channels: number,
  weights: readonly number[],
  [height, width]: readonly [number, number],
): string {
  const name = `taps${channels}x${height}x${width}:${weights.join()}`;
  const data = Float32Array.from(
    { length: channels * weights.length },
    (_, i) => weights[i % weights.length],
  );
  return g.floats([channels, 1, height, width], data, name);
}

/** Aᵀ m A, ReLU, and the tiles' outputs put beside each other: `[1, filters, rows · 4, tiles · 4]`. */
function outputTransform(
  g: OnnxGraph,
  columns: readonly string[],
  { filters }: ConvolutionLayer,
  { rows, tiles }: Band,
): string {
  const matrix = g.floats([TILE, POINTS], OUTPUT_TRANSFORM.flat(), 'outputTransform');
  const each = filters * rows * tiles;
  const overRows = columns.map((column) =>
    g.op('MatMul', [matrix, g.op('Reshape', [column, g.integers([POINTS, each])])]),
  );
  const stacked = g.op('Reshape', [g.op('Concat', overRows, { axis: 0 }), g.integers([POINTS, TILE * each])]);
  const outputs = g.op('Relu', [g.op('MatMul', [matrix, stacked])]); // [tileColumn, tileRow · filter · row · tile]
  // One transposition of six axes takes several times as long as these two of two and three.
  const columnLast = g.op('Transpose', [outputs], { perm: [1, 0] });
  const lines = g.op('Reshape', [columnLast, g.integers([TILE, filters * rows, tiles * TILE])]);
  const interleaved = g.op('Transpose', [lines], { perm: [1, 0, 2] });
  return g.op('Reshape', [interleaved, g.integers([1, filters, rows * TILE, tiles * TILE])]);
}
