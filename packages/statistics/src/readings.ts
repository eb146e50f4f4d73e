/** One layer of what is measured. */
export interface LayerShape {
  /** Keras name, for example `block5_conv3`. */
  readonly layer: string;
  /** Output channels. */
  readonly filters: number;
  /** Height × width of one filter's map. */
  readonly positions: number;
}

/**
 * The readings of one image: what is measured of every filter's map after ReLU. Each array holds one entry a filter,
 * the run's layers one after the other in network order.
 */
export interface Readings {
  /** Positions that are exactly 0, `0 … positions`. */
  readonly zeros: Uint16Array;
  /** Largest activation, ≥ 0. 0 means blank. */
  readonly max: Float32Array;
  /** Mean activation over the map's positions. */
  readonly mean: Float32Array;
  /** Raster index (`row × width + column`) of the first position that holds the maximum; 0 for a blank filter. */
  readonly position: Uint16Array;
}

/** All filters of `layers` together: the length of each array of {@link Readings}. */
export function filterCount(layers: readonly LayerShape[]): number {
  return layers.reduce((sum, layer) => sum + layer.filters, 0);
}
