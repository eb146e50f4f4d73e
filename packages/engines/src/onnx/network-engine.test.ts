import type { PreparedImage } from '@filterscope/vgg16/engine';
import { INPUT_SIZE, parseLayers } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { expect, test } from 'vitest';
import { createNetworkEngine } from './network-engine.ts';
import { packWeights } from './packed-weights.ts';

// Batches, which GPUs are given, on the processor: it gives an image the same bits in a batch as alone.

const layers = parseLayers('..block1_conv2');
const weights = await packWeights(syntheticWeights(), layers.length, 'direct');
const identity = { name: 'onnx-cpu', version: 'any', processor: 'any' };
const engineOf = (batch: number) =>
  createNetworkEngine({ identity, weights, layers, target: { device: 'cpu', batch }, networks: 1 });

/** A picture that is different for each number. */
function picture(number: number): PreparedImage {
  const length = INPUT_SIZE * INPUT_SIZE * 3;
  return Uint8Array.from({ length }, (_, i) => (i * (2 * number + 3) + ((i * i) >> 7)) % 256);
}
const pictures = [0, 1, 2, 3].map(picture);
/** Every second with tiles. */
const request = (i: number) => (i % 2 === 0 ? {} : { maps: { kind: 'tile' as const } });

test('images that wait are taken together, and each gets its own readings', async () => {
  await using singly = engineOf(1);
  await using together = engineOf(3);
  const expected = await singly.infer(pictures, {});
  expect(new Set(expected.map(({ readings }) => readings.max.join())).size).toBe(pictures.length);
  expect(await together.infer(pictures, {})).toEqual(expected);
  expect(await together.infer(pictures.toReversed(), {})).toEqual(expected.toReversed());
  expect(await together.infer([pictures[2]], {})).toEqual([expected[2]]);
});

test('images with tiles among them are done one by one, and keep nobody from the others', async () => {
  await using singly = engineOf(1);
  await using together = engineOf(3);
  const all = (engine: typeof singly) =>
    Promise.all(pictures.map((image, i) => engine.infer([image], request(i))));
  expect(await all(together)).toEqual(await all(singly));
});

test('an image let go while it waits leaves the others of its batch their readings', async () => {
  await using together = engineOf(3);
  const [alone] = await together.infer([pictures[3]], {});
  const abort = new AbortController();
  const first = together.infer([pictures[0]], {});
  const gone = together.infer([pictures[1]], {}, abort.signal);
  const last = together.infer([pictures[3]], {});
  abort.abort(new Error('no more'));
  await expect(gone).rejects.toThrow('no more');
  expect(await first).toHaveLength(1);
  expect(await last).toEqual([alone]);
});
