import { createOnnxEngine } from '@filterscope/engines/onnx/onnx-engine';
import type { Engine } from '@filterscope/vgg16/engine';
import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { notApplicable, type Check } from './check.ts';
import { engineChecks } from './engine-checks.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { wallpaper } from './pictures.ts';
import { publishedCheck } from './published-check.ts';
import { samplePhotos } from './sample-photos.ts';
import { weightsChecks } from './weights-checks.ts';

/**
 * Checks an engine of this installation with the weights at hand, and against another way of computing them: the processor's fastest
 * against its other, a GPU's against the processor's.
 */
export async function* verifyNetwork(
  weights: Weights,
  openEngine: (layers: readonly ConvolutionLayer[]) => Promise<Engine>,
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
  const open = async (opened: Promise<Engine>): Promise<EngineUnderTest> => ({
    engine: await opened,
    weights,
    layers,
    image,
  });
  const under = await open(openEngine(layers));
  await using _engine = under.engine;
  const { name, version } = under.engine.identity;
  const method = name === 'onnx-cpu' && version.endsWith('direct') ? 'winograd' : 'direct';
  const other = () => open(createOnnxEngine({ weights, layers, threads: 1, method, signal }));
  yield* engineChecks(under, other, signal);
  yield await publishedCheck(under, photos, signal);
}

/** The layers that weights hold without a gap from the first on. */
function layersHeld(weights: Weights): readonly ConvolutionLayer[] {
  const missing = LAYERS.findIndex(({ layer }) => !weights.layers.has(layer));
  return missing < 0 ? LAYERS : LAYERS.slice(0, missing);
}
