import type { Readings } from '@filterscope/statistics/readings';

/** An image ready for the network: `[row, column, channel]`, RGB, one byte a value, 224×224×3. */
export type PreparedImage = Uint8Array;

/** How maps become grey tiles: `reference` divides by the given reference of each filter, `tile` by the map's own maximum. */
export type TileScale =
  | { readonly kind: 'reference'; readonly references: Float32Array }
  | { readonly kind: 'tile' };

export interface InferRequest {
  /** What is wanted beside the readings: grey tiles, or the full activations (54 MB an image at full depth). */
  readonly maps?: TileScale | { readonly kind: 'activations' };
}

export interface ImageResult {
  readonly readings: Readings;
  /**
   * One grey byte an activation, a plane a layer: the near-square grid `[gridRow, row, gridColumn, column]` of all the
   * layer's tiles, `round(255 · activation / reference)` clipped to 255. Present when asked for.
   */
  readonly tiles?: readonly Uint8Array[];
  /** Full activations `[filter, row, column]` after ReLU, an array a layer. Present when asked for. */
  readonly activations?: readonly Float32Array[];
}

/** What ran, recorded in every commit: numbers of different engines or versions differ in the last bits. */
export interface EngineIdentity {
  /** For example `onnx-cpu`. */
  readonly name: string;
  /** Version of the runtime, for example `1.30.0`. */
  readonly version: string;
  /** What the arithmetic depends on: a processor's family, for example `x64-avx512`, or a GPU's name by what it computes. */
  readonly processor: string;
}

/**
 * A network ready to run. Calls may overlap: the engine takes up to `parallel · batch` of the images that wait, in order; more wait.
 * After disposal every call rejects.
 */
export interface Engine extends AsyncDisposable {
  readonly identity: EngineIdentity;
  /** Networks that compute at the same time. */
  readonly parallel: number;
  /** Images that each of them takes at a time, from whichever calls. */
  readonly batch: number;
  /** Readings, and maps where asked for, of a batch, in its order. */
  infer(
    images: readonly PreparedImage[],
    request: InferRequest,
    signal?: AbortSignal,
  ): Promise<ImageResult[]>;
}
