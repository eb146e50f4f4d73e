import { readdirSync } from 'node:fs';
import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { addReadings, createAccumulator } from '@filterscope/statistics/accumulator';
import { summarizeLayers, type LayerSummary } from '@filterscope/statistics/summary';
import { parseLayers } from '@filterscope/vgg16/layers';
import type { Flavour } from '@filterscope/vgg16/weights';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import { sharedData } from './shared-data.ts';

const LAYERS = parseLayers('..block2_conv2');

/** The ordinary photos of the data folder beside the repository, in order of their names; none where it is absent. */
export function sharedPhotos(): string[] {
  if (sharedData('photos/sources.json') === undefined) return [];
  const names = readdirSync(new URL('../../../shared/data/photos/', import.meta.url));
  return names.filter((name) => name !== 'sources.json').toSorted();
}

/**
 * What a run over all photos says of the first four layers: the real weights of a flavour, fit `crop`.
 * @param seenAs how the network is told to see pixels, if not as it was trained
 */
export async function photoZeroShares(
  weightsOf: Flavour,
  seenAs: Flavour = weightsOf,
): Promise<LayerSummary[]> {
  const file = sharedData(`weights/vgg16-${weightsOf}-blocks1-2.safetensors`);
  if (file === undefined) throw new Error('the weights are not there');
  const weights = await parseWeights(file, weightsOf, { flavour: seenAs });
  await using engine = await createOnnxEngine({ weights, layers: LAYERS, threads: 2 });
  const pixels = await Promise.all(
    sharedPhotos().map(async (name) => {
      const prepared = await prepareImage(sharedData(`photos/${name}`)!, 'crop');
      if (prepared.status !== 'ok') throw new Error(`${name}: ${prepared.message}`);
      return prepared.pixels;
    }),
  );
  const accumulator = createAccumulator(LAYERS);
  for (const [row, { readings }] of (await engine.infer(pixels, {})).entries()) {
    addReadings(accumulator, { row, classIds: [] }, readings);
  }
  return summarizeLayers(accumulator);
}
