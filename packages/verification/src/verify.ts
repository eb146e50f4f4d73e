import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import type { ConvolutionMethod } from '@filterscope/engines/onnx/packed-weights';
import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { notApplicable, type Check } from './check.ts';
import { engineChecks } from './engine-checks.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { wallpaper } from './pictures.ts';
import { publishedCheck } from './published-check.ts';
import { samplePhotos } from './sample-photos.ts';
import { weightsChecks } from './weights-checks.ts';

/** Checks the engine of this installation, in the way that it is fastest and in the other, with the weights at hand. */
export async function* verifyNetwork(
  weights: Weights,
  threads: number,
  signal: AbortSignal,
): AsyncGenerator<Check> {
  yield* weightsChecks(weights);
  const layers = layersHeld(weights);
  if (layers.length === 0) {
    yield notApplicable('engine', `${weights.name} lack block1_conv1: no network can be built of them`);
    return;
  }
  const photos = await samplePhotos();
  const image = photos[0] ?? wallpaper;
  const open = async (method?: ConvolutionMethod): Promise<EngineUnderTest> => {
    const options = { weights, layers, threads, signal };
    return {
      engine: await createOnnxEngine(method === undefined ? options : { ...options, method }),
      weights,
      layers,
      image,
    };
  };
  const under = await open();
  await using _engine = under.engine;
  const other = under.engine.identity.version.endsWith('winograd') ? 'direct' : 'winograd';
  yield* engineChecks(under, () => open(other), signal);
  yield await publishedCheck(under, photos, signal);
}

/** The layers that weights hold without a gap from the first on. */
function layersHeld(weights: Weights): readonly ConvolutionLayer[] {
  const missing = LAYERS.findIndex(({ layer }) => !weights.layers.has(layer));
  return missing < 0 ? LAYERS : LAYERS.slice(0, missing);
}
