import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { createPool } from '../pool.ts';
import { startEngineThread } from './engine-thread.ts';
import type { PackedWeights } from './packed-weights.ts';
import type { Outputs, Scales, ThreadTask } from './session-thread.ts';
import type { GraphMode, GraphTarget } from './vgg16-graph.ts';

/**
 * A network in a thread of its own. On a processor it is rebuilt when it is asked for outputs that it does not have; a GPU keeps one for each
 * kind of outputs.
 */
export interface Network extends AsyncDisposable {
  /** Images that the next run in this mode takes at most. */
  room(mode: GraphMode): number;
  /** @returns the outputs of each image */
  run(request: NetworkRequest): Promise<Outputs[]>;
}

export interface NetworkRequest {
  readonly mode: GraphMode;
  readonly images: readonly Uint8Array[];
  /** For `tiles`; empty otherwise. */
  readonly scales: Scales;
  readonly outputs: readonly string[];
}

/**
 * Images without tiles that a network with tiles does on a processor before it is rebuilt without them: where those with grids end,
 * both kinds come in turn, and building takes longer than an image.
 */
const PATIENCE = 16;

/** The runtime has one GPU context for the whole process, which threads must not use at the same time: it crashes. */
const gpu = createPool([null]);

/**
 * @param target its batch is for readings alone: maps take 54 MB an image
 * @param alone lets one network be built at a time: building takes three times the memory that running does
 */
export function startNetwork(
  weights: PackedWeights,
  layers: readonly ConvolutionLayer[],
  { device, batch }: GraphTarget,
  alone: <Result>(work: () => Promise<Result>) => Promise<Result>,
): Network {
  const thread = startEngineThread({ weights, layers, device });
  const inTurn = <Result>(work: () => Promise<Result>) => (device === 'gpu' ? gpu.use(work) : work());
  const carryOut = (task: ThreadTask) => inTurn(() => thread.carryOut(task));
  const ownScales = layers.map(({ layer, filters }) => [layer, new Float32Array(filters)] as const);
  const loaded = new Set<GraphMode>();
  let withoutTiles = 0;
  const graphFor = (mode: GraphMode) =>
    device === 'cpu' && mode === 'readings' && loaded.has('tiles') && withoutTiles < PATIENCE
      ? 'tiles'
      : mode;
  const batchOf = (graph: GraphMode) => (graph === 'tiles' || graph === 'activations' ? 1 : batch);
  return {
    room: (mode) => batchOf(graphFor(mode)),
    async run({ mode, images, scales, outputs }) {
      const graph = graphFor(mode);
      withoutTiles = mode === 'readings' ? withoutTiles + 1 : 0;
      if (!loaded.has(graph)) {
        if (device === 'cpu') loaded.clear();
        await alone(() => carryOut({ kind: 'load', mode: graph, batch: batchOf(graph) }));
        loaded.add(graph);
      }
      const whole = await carryOut({
        kind: 'run',
        mode: graph,
        images,
        scales: graph === mode ? scales : ownScales,
        outputs,
      });
      return images.map((_, i) => part(whole, i, batchOf(graph)));
    },
    [Symbol.asyncDispose]: () => inTurn(async () => thread[Symbol.asyncDispose]()),
  };
}

/** The outputs of one image out of so many. */
function part(outputs: Outputs, image: number, batch: number): Outputs {
  const of = Object.entries(outputs).map(([name, data]) => {
    const length = data.length / batch;
    return [name, data.subarray(image * length, (image + 1) * length)] as const;
  });
  return Object.fromEntries(of);
}
