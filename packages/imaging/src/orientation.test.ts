import { expect, test } from 'vitest';
import { storedSquare, turnUpright } from './orientation.ts';

/** Where a stored pixel stands in the upright picture, from EXIF's words: "row 0 is the visual …, column 0 the …". */
const UPRIGHT: Record<
  number,
  (row: number, column: number, w: number, h: number) => readonly [x: number, y: number]
> = {
  1: (row, column) => [column, row], // top, left
  2: (row, column, w) => [w - 1 - column, row], // top, right
  3: (row, column, w, h) => [w - 1 - column, h - 1 - row], // bottom, right
  4: (row, column, _, h) => [column, h - 1 - row], // bottom, left
  5: (row, column) => [row, column], // left, top
  6: (row, column, w) => [w - 1 - row, column], // right, top
  7: (row, column, w, h) => [w - 1 - row, h - 1 - column], // right, bottom
  8: (row, column, _, h) => [row, h - 1 - column], // left, bottom
};

test.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'orientation %i: a square cut from the stored picture is the upright one',
  (orientation) => {
    const [width, height, size, left, top] = [7, 5, 3, 1, 2]; // upright
    const [storedWidth, storedHeight] = orientation >= 5 ? [height, width] : [width, height];
    const square = storedSquare({ left, top, size }, orientation, storedWidth, storedHeight);
    const stored = new Uint8Array(size * size * 3);
    for (let row = 0; row < size; row++) {
      for (let column = 0; column < size; column++) {
        const [x, y] = UPRIGHT[orientation](square.top + row, square.left + column, width, height);
        stored.set([x, y, orientation], (row * size + column) * 3);
      }
    }
    const expected = Array.from({ length: size * size }, (_, i) => [
      left + (i % size),
      top + Math.floor(i / size),
      orientation,
    ]);
    expect([...turnUpright(stored, size, orientation)]).toEqual(expected.flat());
  },
);
