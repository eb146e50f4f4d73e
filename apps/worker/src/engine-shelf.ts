import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { measuredLayers, type RunDocument } from '@filterscope/runs/run-document';
import { weightsKey } from '@filterscope/runs/run-keys';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { parseWeights } from '@filterscope/vgg16/weights-file';

export type OpenEngine = (weights: Weights, layers: readonly ConvolutionLayer[]) => Promise<Engine>;

/** The engines of a worker: each run has its weights and layers, and building a network takes seconds. */
export interface EngineShelf extends AsyncDisposable {
  /** Lends the engine of a run to `work`. One that has failed is not lent again. */
  use<Result>(
    document: RunDocument,
    output: ObjectStore,
    work: (engine: Engine) => Promise<Result>,
    signal: AbortSignal,
  ): Promise<Result>;
}

interface Place {
  readonly engine: Promise<Engine>;
  users: number;
  broken: boolean;
}

/** @param room engines kept at a time; at least as many as are in use at a time */
export function createEngineShelf(openEngine: OpenEngine, room: number): EngineShelf {
  /** In order of last use. */
  const places = new Map<string, Place>();

  const remove = async (key: string, { engine }: Place) => {
    if (places.get(key)?.engine === engine) places.delete(key);
    await engine.then((engine) => engine[Symbol.asyncDispose]()).catch(() => undefined);
  };
  const makeRoom = async () => {
    const idle = [...places].filter(([, { users }]) => users === 0);
    for (const [key, place] of idle.slice(0, Math.max(0, places.size - room + 1))) await remove(key, place);
  };
  const take = async (document: RunDocument, output: ObjectStore, signal: AbortSignal) => {
    const { sha256, flavour } = document.weights;
    const key = [sha256, flavour, ...document.settings.layers].join(' ');
    if (!places.has(key)) await makeRoom();
    const there = places.get(key);
    const place: Place = there ?? {
      engine: open(document, output, openEngine, signal),
      users: 0,
      broken: false,
    };
    place.users += 1;
    places.delete(key);
    places.set(key, place);
    return { key, place };
  };

  return {
    async use(document, output, work, signal) {
      const { key, place } = await take(document, output, signal);
      try {
        return await work(await place.engine);
      } catch (error) {
        const failed = error instanceof FilterscopeError && error.code.startsWith('engine-');
        const unopened = await place.engine.then(
          () => false,
          () => true,
        );
        if (failed || unopened) {
          place.broken = true;
          if (places.get(key) === place) places.delete(key);
        }
        throw error;
      } finally {
        place.users -= 1;
        if (place.broken && place.users === 0) await remove(key, place);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const [key, place] of places) await remove(key, place);
    },
  };
}

async function open(
  document: RunDocument,
  output: ObjectStore,
  openEngine: OpenEngine,
  signal: AbortSignal,
): Promise<Engine> {
  const { sha256, flavour, name, synthetic } = document.weights;
  const { bytes } = await output.get(weightsKey(sha256), undefined, signal);
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))).toString('hex');
  if (digest !== sha256) {
    throw new FilterscopeError(
      'broken-object',
      `${output.url}/${weightsKey(sha256)} is not what its name says (its SHA-256 is ${digest}); delete it and submit the run again`,
    );
  }
  const { layers } = await parseWeights(bytes, name, { flavour });
  return openEngine({ flavour, name, synthetic, layers }, measuredLayers(document));
}
