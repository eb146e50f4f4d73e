import type { Rectangle } from './rectangle.ts';

/** How the tiles of a layer stand in one picture: in filter order, row by row. */
export interface GridLayout {
  readonly filters: number;
  /** Tiles side by side. */
  readonly columns: number;
  /** Tiles one above the other. */
  readonly rows: number;
  /** Pixels between neighbouring tiles. */
  readonly gap: number;
}

/**
 * The near-square grid: as many columns as the power of two at or above the square root, no gap. 64 filters stand 8×8,
 * 128 16×8, 256 16×16, 512 32×16 (columns × rows).
 * @throws RangeError for less than one filter.
 */
export function gridLayout(filters: number): GridLayout {
  const columns = 2 ** Math.ceil(Math.log2(requireFilters(filters)) / 2);
  return { filters, columns, rows: Math.ceil(filters / columns), gap: 0 };
}

/**
 * The notebook's grid (Chollet, Deep Learning with Python, 2nd edition, chapter 9): 16 a row, one pixel between.
 * @throws RangeError for less than one filter.
 */
export function cholletLayout(filters: number): GridLayout {
  return { filters, columns: 16, rows: Math.ceil(requireFilters(filters) / 16), gap: 1 };
}

/** Size in pixels of the whole picture, with square tiles of `tileSize` pixels. */
export function gridSize(
  layout: GridLayout,
  tileSize: number,
): { readonly width: number; readonly height: number } {
  const { columns, rows, gap } = layout;
  return { width: columns * (tileSize + gap) - gap, height: rows * (tileSize + gap) - gap };
}

/** Where a filter's tile lies, in pixels. */
export function tileRectangle(layout: GridLayout, tileSize: number, filter: number): Rectangle {
  const pitch = tileSize + layout.gap;
  const row = Math.floor(filter / layout.columns);
  return { left: (filter % layout.columns) * pitch, top: row * pitch, width: tileSize, height: tileSize };
}

/** The filter whose tile holds a pixel; undefined in a gap, behind the last tile and outside the picture. */
export function filterAt(layout: GridLayout, tileSize: number, x: number, y: number): number | undefined {
  const pitch = tileSize + layout.gap;
  const column = Math.floor(x / pitch);
  const row = Math.floor(y / pitch);
  const inTile = column >= 0 && row >= 0 && x - column * pitch < tileSize && y - row * pitch < tileSize;
  const filter = row * layout.columns + column;
  return inTile && column < layout.columns && filter < layout.filters ? filter : undefined;
}

function requireFilters(filters: number): number {
  if (!Number.isInteger(filters) || filters < 1)
    throw new RangeError(`a grid needs at least one filter, not ${filters}`);
  return filters;
}
