import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { filterCount } from '@filterscope/statistics/readings';
import type { Engine, TileScale } from '@filterscope/vgg16/engine';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { referenceTiles } from '@filterscope/verification/reference-tiles';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { wallpaper } from '@filterscope/verification/pictures';
import { catPhoto } from './pictures.ts';

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
        const difference = compare(tiles![index], referenceTiles(activations![index], own, layer));
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
