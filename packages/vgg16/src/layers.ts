import type { LayerShape } from '@filterscope/statistics/readings';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/** Height and width of the network's input, in pixels. */
export const INPUT_SIZE = 224;

/** One of VGG16's thirteen convolutions (3×3, stride 1, padding 1), measured after ReLU. */
export interface ConvolutionLayer extends LayerShape {
  /** Input channels. */
  readonly inputs: number;
  /** Height and width of a map, in positions. */
  readonly size: number;
  /** Number of the block, 1 … 5; a 2×2 max pooling ends each. */
  readonly block: number;
  /** Whether the block's max pooling follows this layer. */
  readonly pooled: boolean;
  /** Position of the convolution in torchvision's `features`. */
  readonly torchIndex: number;
}

const BLOCKS = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

/** The thirteen convolutions in network order (Simonyan & Zisserman 2014, configuration D). */
export const LAYERS: readonly ConvolutionLayer[] = layerTable();

function layerTable(): ConvolutionLayer[] {
  const layers: ConvolutionLayer[] = [];
  let inputs = 3;
  let torchIndex = 0;
  for (const [index, widths] of BLOCKS.entries()) {
    const block = index + 1;
    const size = INPUT_SIZE >> index;
    for (const [position, filters] of widths.entries()) {
      const pooled = position === widths.length - 1;
      const layer = `block${block}_conv${position + 1}`;
      layers.push({ layer, filters, inputs, size, positions: size * size, block, pooled, torchIndex });
      inputs = filters;
      torchIndex += pooled ? 3 : 2; // a ReLU follows every convolution, a pooling each block
    }
  }
  return layers;
}

/** How many of the thirteen layers have to be computed, from the first on, for these to be measured. */
export function networkDepth(layers: readonly LayerShape[]): number {
  return LAYERS.findLastIndex(({ layer }) => layers.some((measured) => measured.layer === layer)) + 1;
}

/**
 * The layers that a `--layers` value names, in network order: `all`, a list (`block1_conv1,block5_conv3`), or ranges
 * with either end open (`..block2_conv2`, `block4_conv1..`).
 * @throws FilterscopeError `unknown-layer` naming the layers there are.
 */
export function parseLayers(text: string): readonly ConvolutionLayer[] {
  if (text.trim() === 'all') return LAYERS;
  const wanted = new Set<number>();
  for (const part of text.split(',')) {
    const [from = '', to, ...rest] = part.trim().split('..');
    if (rest.length > 0) throw unknownLayer(part);
    const first = from === '' && to !== undefined ? 0 : indexOfLayer(from);
    const last = to === undefined ? first : to === '' ? LAYERS.length - 1 : indexOfLayer(to);
    if (last < first) {
      throw new FilterscopeError('unknown-layer', `the range of layers "${part}" ends before it begins`);
    }
    for (let i = first; i <= last; i++) wanted.add(i);
  }
  return LAYERS.filter((_, i) => wanted.has(i));
}

function indexOfLayer(name: string): number {
  const index = LAYERS.findIndex((layer) => layer.layer === name);
  if (index < 0) throw unknownLayer(name);
  return index;
}

function unknownLayer(name: string): FilterscopeError {
  const names = LAYERS.map((layer) => layer.layer).join(', ');
  return new FilterscopeError('unknown-layer', `there is no layer "${name.trim()}"; VGG16 has ${names}`);
}
