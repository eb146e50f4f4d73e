import { type GridLayout, gridSize, tileRectangle } from './grid-layout.ts';

/**
 * Share of a layer's positions that a grid cannot tell apart: shown at 255 in a tile whose maximum exceeds its
 * reference. Only such tiles are looked at. `plane` is `[gridRow, row, gridColumn, column]`, `maxima` and `references`
 * hold one entry a filter. 0 … 1.
 */
export function clippedShare(
  plane: Uint8Array,
  layout: GridLayout,
  tileSize: number,
  maxima: ArrayLike<number>,
  references: ArrayLike<number>,
): number {
  const { width } = gridSize(layout, tileSize);
  let clipped = 0;
  for (let filter = 0; filter < layout.filters; filter++) {
    if (!(maxima[filter] > references[filter])) continue;
    const { left, top } = tileRectangle(layout, tileSize, filter);
    for (let row = 0; row < tileSize; row++) {
      const start = (top + row) * width + left;
      for (let at = start; at < start + tileSize; at++) if (plane[at] === 255) clipped++;
    }
  }
  return clipped / (layout.filters * tileSize * tileSize);
}
