import type { PackedWeights } from './packed-weights.ts';
import { startEngineThread } from './engine-thread.ts';
import type { Outputs, Scales } from './session-thread.ts';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { GraphMode } from './vgg16-graph.ts';

/** A network in a thread of its own, rebuilt when it is asked for outputs that it does not have. */
export interface Network extends AsyncDisposable {
  run(request: NetworkRequest): Promise<Outputs>;
}

export interface NetworkRequest {
  readonly mode: GraphMode;
  readonly image: Uint8Array;
  /** For `tiles`; empty otherwise. */
  readonly scales: Scales;
  readonly outputs: readonly string[];
}

/**
 * Images without tiles that a network with tiles does before it is rebuilt without them: where those with grids end, both
 * kinds come in turn, and building takes longer than an image.
 */
const PATIENCE = 16;

/** @param alone lets one network be built at a time: building takes three times the memory that running does */
export function startNetwork(
  weights: PackedWeights,
  layers: readonly ConvolutionLayer[],
  alone: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Network {
  const thread = startEngineThread({ weights, layers });
  const ownScales = layers.map(({ layer, filters }) => [layer, new Float32Array(filters)] as const);
  let loaded: GraphMode | undefined;
  let withoutTiles = 0;
  return {
    async run({ mode, image, scales, outputs }) {
      withoutTiles = mode === 'readings' ? withoutTiles + 1 : 0;
      const useTiles = mode === 'readings' && loaded === 'tiles' && withoutTiles <= PATIENCE;
      if (loaded !== mode && !useTiles) {
        loaded = undefined;
        await alone(() => thread.carryOut({ kind: 'load', mode }));
        loaded = mode;
      }
      return thread.carryOut({ kind: 'run', image, scales: useTiles ? ownScales : scales, outputs });
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}
