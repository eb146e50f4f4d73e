import type { PreparedImage } from '@filterscope/vgg16/engine';
import type { Check } from './check.ts';
import { deeperLayers, firstLayer, methodsCheck } from './convolution-checks.ts';
import type { Maps } from './differences.ts';
import type { EngineUnderTest } from './engine-under-test.ts';
import { onePlainColour, shifted, translation } from './identity-checks.ts';
import { plain } from './pictures.ts';
import { readingsCheck, tilesCheck } from './reading-checks.ts';

/**
 * Every check of an engine, as each is done.
 * @param openOther the same network computed in the other way
 */
export async function* engineChecks(
  under: EngineUnderTest,
  openOther: () => Promise<EngineUnderTest>,
  signal: AbortSignal,
): AsyncGenerator<Check> {
  const { layers, engine, image } = under;
  const maps = await activationsOf(under, image, signal);
  yield firstLayer(under, maps);
  if (layers.length > 1) yield deeperLayers(under, maps);
  const [{ readings }] = await engine.infer([image], {}, signal);
  yield readingsCheck(layers, maps, readings);
  const [{ tiles }] = await engine.infer([image], { maps: { kind: 'tile' } }, signal);
  yield tilesCheck(layers, maps, readings, tiles!);
  yield onePlainColour(under, await activationsOf(under, plain, signal));
  yield translation(layers, maps, await activationsOf(under, shifted(image), signal));
  const other = await openOther();
  await using _engine = other.engine;
  const [own, others] = [engine.identity, other.engine.identity];
  const ways = {
    check: own.name === others.name ? 'winograd' : others.name,
    names: `${own.name} ${own.version} against ${others.name} ${others.version}`,
  };
  yield methodsCheck(layers, ways, maps, await activationsOf(other, image, signal));
}

async function activationsOf(
  { engine }: EngineUnderTest,
  image: PreparedImage,
  signal: AbortSignal,
): Promise<Maps> {
  const [result] = await engine.infer([image], { maps: { kind: 'activations' } }, signal);
  return result.activations!;
}
