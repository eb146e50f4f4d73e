import sharp from 'sharp';
import { expect, test } from 'vitest';
import { markBlankTiles } from './draw-grid.ts';
import { encodeGrid } from './encode-grid.ts';
import { gridLayout, gridSize, tileRectangle } from './grid-layout.ts';

const METADATA = { layer: 'block5_conv3', style: 'filter', weights: 'w', run: 'r', image: 'i' };
const layout = gridLayout(8);

function bytesOfTile(plane: Uint8Array, tileSize: number, filter: number): number[] {
  const { width } = gridSize(layout, tileSize);
  const { left, top } = tileRectangle(layout, tileSize, filter);
  return Array.from({ length: tileSize * tileSize }, (_, i) => {
    return plane[(top + Math.floor(i / tileSize)) * width + left + (i % tileSize)];
  });
}

test('crosses the blank tiles and leaves the others, dark ones too, as they are', () => {
  const plane = new Uint8Array(8 * 25);
  const maxima = Float32Array.from([1, 0, 1e-30, 0, 1, 1, 1, 1]);
  expect(markBlankTiles(plane, layout, 5, maxima)).toBe(2);
  const cross = ['#...#', '.#.#.', '..#..', '.#.#.', '#...#'].join('');
  for (const blank of [1, 3]) {
    expect(
      bytesOfTile(plane, 5, blank)
        .map((byte) => (byte === 128 ? '#' : '.'))
        .join(''),
    ).toBe(cross);
  }
  expect(bytesOfTile(plane, 5, 2).every((byte) => byte === 0)).toBe(true);
  expect(plane.filter((byte) => byte !== 0)).toHaveLength(18);
});

test.each([14, 28, 56, 112, 224])('the cross survives JPEG in tiles of %i', async (tileSize) => {
  const { width, height } = gridSize(layout, tileSize);
  const pixels = new Uint8Array(width * height);
  markBlankTiles(pixels, layout, tileSize, [0, 1, 1, 1, 1, 1, 1, 0]);
  const file = await encodeGrid({ pixels, width, height, format: 'jpeg', metadata: METADATA });
  const shown = new Uint8Array(await sharp(file).toColourspace('b-w').raw().toBuffer());
  for (const blank of [0, 7]) {
    const drawn = bytesOfTile(pixels, tileSize, blank);
    const seen = bytesOfTile(shown, tileSize, blank);
    const onLine = seen.filter((_, i) => drawn[i] === 128);
    const beside = seen.filter((_, i) => drawn[i] === 0);
    expect(Math.min(...onLine)).toBeGreaterThan(80);
    expect(beside.reduce((sum, byte) => sum + byte, 0) / beside.length).toBeLessThan(10);
  }
  expect(Math.max(...bytesOfTile(shown, tileSize, 2))).toBeLessThan(40);
});

test('a plane of another size is a mistake', () => {
  expect(() => markBlankTiles(new Uint8Array(10), layout, 5, new Float32Array(8))).toThrow(RangeError);
});
