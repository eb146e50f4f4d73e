import type { Rectangle } from './rectangle.ts';

/**
 * EXIF orientation 1 … 8: what turns stored pixels into an upright picture. Mirroring of a stored axis comes first,
 * then the exchange of rows and columns (orientations 5 … 8).
 */
const MIRRORED: readonly (readonly [mirrorX: boolean, mirrorY: boolean])[] = [
  [false, false], // 1
  [true, false],
  [true, true],
  [false, true],
  [false, false], // 5: exchange alone
  [false, true],
  [true, true],
  [true, false],
];

/** Whether rows and columns change places. An orientation outside 1 … 8 counts as 1. */
export function exchangesSides(orientation: number): boolean {
  return orientation >= 5 && orientation <= 8;
}

/** Where a square of the upright picture lies in the stored one, `width` × `height` being the stored picture's size. */
export function storedSquare(
  square: { readonly left: number; readonly top: number; readonly size: number },
  orientation: number,
  width: number,
  height: number,
): Rectangle {
  const [mirrorX, mirrorY] = mirrors(orientation);
  const x = exchangesSides(orientation) ? square.top : square.left;
  const y = exchangesSides(orientation) ? square.left : square.top;
  return {
    left: mirrorX ? width - square.size - x : x,
    top: mirrorY ? height - square.size - y : y,
    width: square.size,
    height: square.size,
  };
}

/** A square picture `[row, column, channel]` of three channels turned upright; orientation 1 returns it unchanged. */
export function turnUpright(stored: Uint8Array, size: number, orientation: number): Uint8Array {
  const [mirrorX, mirrorY] = mirrors(orientation);
  const exchange = exchangesSides(orientation);
  if (!mirrorX && !mirrorY && !exchange) return stored;
  const upright = new Uint8Array(stored.length);
  let to = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = exchange ? row : column;
      const y = exchange ? column : row;
      const from = ((mirrorY ? size - 1 - y : y) * size + (mirrorX ? size - 1 - x : x)) * 3;
      upright[to++] = stored[from]!;
      upright[to++] = stored[from + 1]!;
      upright[to++] = stored[from + 2]!;
    }
  }
  return upright;
}

function mirrors(orientation: number): readonly [boolean, boolean] {
  return MIRRORED[orientation - 1] ?? [false, false];
}
