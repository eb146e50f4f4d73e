import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { gridLayout } from '@filterscope/imaging/grid-layout';
import { filterCount } from '@filterscope/statistics/readings';
import type { Engine, TileScale } from '@filterscope/vgg16/engine';
import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { catPhoto, wallpaper } from './pictures.ts';

// Every grey level of all grids of a picture, against the formula over its 13.5 million activations.

let engine: Engine;
beforeAll(async () => {
  engine = await createOnnxEngine({ weights: syntheticWeights(), layers: LAYERS, threads: 1 });
});
afterAll(() => engine[Symbol.asyncDispose]());

/** Some filters clip, some stay dark, and some have a reference of 0 or hardly more. */
const references = Float32Array.from(
  { length: filterCount(LAYERS) },
  (_, i) => [150, 37.3, 0.011, 2000, 0][i % 5],
);

const pictures = { 'a photo': await catPhoto(), 'a wallpaper': wallpaper };
const scales: Record<string, TileScale> = {
  reference: { kind: 'reference', references },
  tile: { kind: 'tile' },
};

for (const [name, image] of Object.entries(pictures)) {
  for (const [kind, maps] of Object.entries(scales)) {
    test(`${name}, scale ${kind}: every grey level is 255 a / reference, rounded half to even and clipped`, async () => {
      const [{ activations, readings }] = await engine.infer([image], { maps: { kind: 'activations' } });
      const [{ tiles }] = await engine.infer([image], { maps });
      const full = maps.kind === 'reference' ? maps.references : readings.max;
      expect(tiles).toHaveLength(LAYERS.length);
      let offset = 0;
      let [onTheEdge, levels] = [0, 0];
      for (const [index, layer] of LAYERS.entries()) {
        const own = full.subarray(offset, (offset += layer.filters));
        const difference = compare(tiles![index], expectedTiles(activations![index], own, layer));
        expect([layer.layer, difference.largest]).toEqual([layer.layer, difference.differing === 0 ? 0 : 1]);
        onTheEdge += difference.differing;
        levels += tiles![index].length;
      }
      console.log(`${name}, ${kind}: ${onTheEdge} of ${levels} levels are 1 off`);
      // The graph divides by reference / 255, which float32 rounds: who lies half-way between two levels may go either way.
      expect(onTheEdge / levels).toBeLessThan(1e-5);
    });
  }
}

/** `[gridRow, row, gridColumn, column]` */
function expectedTiles(
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

function compare(a: Uint8Array, b: Uint8Array): { largest: number; differing: number } {
  expect(a).toHaveLength(b.length);
  let [largest, differing] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (difference > 0) differing++;
    if (difference > largest) largest = difference;
  }
  return { largest, differing };
}
