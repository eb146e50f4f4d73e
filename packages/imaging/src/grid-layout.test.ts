import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { cholletLayout, filterAt, gridLayout, gridSize, tileRectangle } from './grid-layout.ts';

test.each([
  [1, 1, 1],
  [2, 2, 1],
  [64, 8, 8],
  [65, 16, 5],
  [128, 16, 8],
  [256, 16, 16],
  [512, 32, 16],
])('%i filters stand %i wide and %i high', (filters, columns, rows) => {
  expect(gridLayout(filters)).toMatchObject({ columns, rows, gap: 0 });
});

test("the notebook's picture is (size + 1) · rows − 1 high", () => {
  expect(gridSize(cholletLayout(512), 14)).toEqual({ width: 16 * 15 - 1, height: 32 * 15 - 1 });
});

test('no grid without filters', () => {
  expect(() => gridLayout(0)).toThrow(RangeError);
  expect(() => cholletLayout(1.5)).toThrow(RangeError);
});

const layouts = fc
  .tuple(fc.integer({ min: 1, max: 600 }), fc.boolean())
  .map(([filters, notebook]) => (notebook ? cholletLayout(filters) : gridLayout(filters)));

test('every pixel belongs to the tile whose rectangle holds it, and to no other', () => {
  fc.assert(
    fc.property(
      layouts,
      fc.integer({ min: 1, max: 20 }),
      fc.nat(),
      fc.nat(),
      fc.nat(),
      (layout, tileSize, f, dx, dy) => {
        const filter = f % layout.filters;
        const { left, top } = tileRectangle(layout, tileSize, filter);
        const { width, height } = gridSize(layout, tileSize);
        expect(left + tileSize).toBeLessThanOrEqual(width);
        expect(top + tileSize).toBeLessThanOrEqual(height);
        expect(filterAt(layout, tileSize, left + (dx % tileSize), top + (dy % tileSize))).toBe(filter);
      },
    ),
  );
});

test('tiles cover the picture but for gaps and free places', () => {
  fc.assert(
    fc.property(layouts, fc.integer({ min: 1, max: 4 }), (layout, tileSize) => {
      const { width, height } = gridSize(layout, tileSize);
      let covered = 0;
      for (let y = -1; y <= height; y++) {
        for (let x = -1; x <= width; x++) if (filterAt(layout, tileSize, x, y) !== undefined) covered++;
      }
      expect(covered).toBe(layout.filters * tileSize * tileSize);
    }),
    { numRuns: 20 },
  );
});

test('near-square: columns are a power of two, at most twice the rows they replace', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), (filters) => {
      const { columns, rows } = gridLayout(filters);
      expect(Number.isInteger(Math.log2(columns))).toBe(true);
      expect(columns).toBeGreaterThanOrEqual(rows);
      expect(columns * rows).toBeGreaterThanOrEqual(filters);
      expect(columns * (rows - 1)).toBeLessThan(filters);
    }),
  );
});
