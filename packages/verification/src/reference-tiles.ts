import { gridLayout } from '@filterscope/imaging/grid-layout';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';

/**
 * Grey tiles by the definition: `round(255 · activation / full)`, half to even, clipped to 255; 0 for an activation of 0.
 * @param maps `[filter, row, column]`
 * @param full what 255 stands for `[filter]`
 * @returns `[gridRow, row, gridColumn, column]`
 */
export function referenceTiles(
  maps: Float32Array,
  full: Float32Array,
  { filters, size }: ConvolutionLayer,
): Uint8Array {
  const { columns, rows } = gridLayout(filters);
  const tiles = new Uint8Array(rows * size * columns * size);
  for (let gridRow = 0; gridRow < rows; gridRow++) {
    for (let row = 0; row < size; row++) {
      for (let gridColumn = 0; gridColumn < columns; gridColumn++) {
        for (let column = 0; column < size; column++) {
          const filter = gridRow * columns + gridColumn;
          const activation = maps[(filter * size + row) * size + column];
          const at = ((gridRow * size + row) * columns + gridColumn) * size + column;
          tiles[at] = activation === 0 ? 0 : Math.min(255, halfToEven((255 * activation) / full[filter]));
        }
      }
    }
  }
  return tiles;
}

function halfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
}
