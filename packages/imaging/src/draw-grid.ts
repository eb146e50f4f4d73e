import { type GridLayout, gridSize, tileRectangle } from './grid-layout.ts';

/** Grey of the cross over a blank tile: far from the black it lies on, also after JPEG. */
const MARK = 128;

/** A line is one pixel wide up to this tile size and grows with the tile, so that it shows in a reduced view too. */
const LINE_PER_PIXELS = 56;

/**
 * Marks the tiles of blank filters in a layer's grey grid, in place: a grey cross from corner to corner, which no map
 * that is merely dark can look like. `plane` is `[gridRow, row, gridColumn, column]`, `maxima` one entry a
 * filter; a filter is blank when its maximum is exactly 0.
 * @returns how many tiles were marked.
 * @throws RangeError when the plane or the maxima do not fit the layout.
 */
export function markBlankTiles(
  plane: Uint8Array,
  layout: GridLayout,
  tileSize: number,
  maxima: ArrayLike<number>,
): number {
  const { width, height } = gridSize(layout, tileSize);
  if (plane.length !== width * height || maxima.length !== layout.filters) {
    throw new RangeError(
      `${plane.length} bytes, ${maxima.length} maxima do not fit ${layout.filters} tiles of ${tileSize}`,
    );
  }
  let marked = 0;
  for (let filter = 0; filter < layout.filters; filter++) {
    if (maxima[filter] !== 0) continue;
    const { left, top } = tileRectangle(layout, tileSize, filter);
    drawCross(plane, width, left, top, tileSize);
    marked++;
  }
  return marked;
}

function drawCross(plane: Uint8Array, width: number, left: number, top: number, size: number): void {
  const line = Math.max(1, Math.round(size / LINE_PER_PIXELS));
  const before = (line - 1) >> 1;
  for (let row = 0; row < size; row++) {
    const start = (top + row) * width + left;
    for (let step = 0; step < line; step++) {
      const column = Math.min(size - 1, Math.max(0, row - before + step));
      plane[start + column] = MARK;
      plane[start + size - 1 - column] = MARK;
    }
  }
}
