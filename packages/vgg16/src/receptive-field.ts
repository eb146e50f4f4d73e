import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { INPUT_SIZE, LAYERS, type ConvolutionLayer } from './layers.ts';

/** What all of a layer's receptive fields have in common, in pixels of the network's input. */
export interface ReceptiveFieldShape {
  /** Height and width. */
  readonly size: number;
  /** Distance between the fields of neighbouring positions. */
  readonly jump: number;
  /** Top and left edge of the field of position (0, 0): negative, because of the padding. */
  readonly start: number;
}

/** The square of input pixels that one position of a map depends on; it may reach beyond the image on every side. */
export interface ReceptiveField {
  readonly top: number;
  readonly left: number;
  readonly size: number;
}

/** Size, jump and start of a layer's receptive fields: 3 pixels at `block1_conv1`, 196 at `block5_conv3`. */
export function receptiveFieldShape(layer: ConvolutionLayer): ReceptiveFieldShape {
  let size = 1;
  let jump = 1;
  let start = 0;
  for (const { layer: name, pooled } of LAYERS) {
    size += 2 * jump; // a 3×3 kernel sees one neighbour more on each side
    start -= jump;
    if (name === layer.layer) break;
    if (pooled) {
      size += jump; // a 2×2 pooling sees one neighbour more, to the right and below
      jump *= 2;
    }
  }
  return { size, jump, start };
}

/**
 * The input pixels that a layer's map depends on at a position (row and column of the map, from 0).
 * @throws FilterscopeError `bad-position` outside the map.
 */
export function receptiveField(layer: ConvolutionLayer, row: number, column: number): ReceptiveField {
  for (const index of [row, column]) {
    if (!Number.isInteger(index) || index < 0 || index >= layer.size) {
      const last = layer.size - 1;
      const message = `${layer.layer} has no position (${row}, ${column}); rows and columns go from 0 to ${last}`;
      throw new FilterscopeError('bad-position', message);
    }
  }
  const { size, jump, start } = receptiveFieldShape(layer);
  return { top: start + row * jump, left: start + column * jump, size };
}

/**
 * The part of a position's receptive field that lies in the picture, in pixels of the network's input. Beyond it the network sees zeros.
 * @param position raster index in the layer's map
 * @throws FilterscopeError `bad-position` outside the map.
 */
export function fieldInPicture(
  layer: ConvolutionLayer,
  position: number,
): { left: number; top: number; width: number; height: number } {
  const field = receptiveField(layer, Math.floor(position / layer.size), position % layer.size);
  const left = Math.max(0, field.left);
  const top = Math.max(0, field.top);
  return {
    left,
    top,
    width: Math.min(INPUT_SIZE, field.left + field.size) - left,
    height: Math.min(INPUT_SIZE, field.top + field.size) - top,
  };
}
