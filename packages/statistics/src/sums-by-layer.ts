import type { LayerShape, Readings } from './readings.ts';

/** What one image adds to each layer, by its name. */
export interface SumsByLayer {
  /** Filters that are blank. */
  readonly blankFilters: Readonly<Record<string, number>>;
  /** Positions that are 0, over all of the layer's filters. */
  readonly zeros: Readonly<Record<string, number>>;
}

export function sumsByLayer(layers: readonly LayerShape[], readings: Readings): SumsByLayer {
  const blankFilters: Record<string, number> = {};
  const zeros: Record<string, number> = {};
  let filter = 0;
  for (const { layer, filters } of layers) {
    let blank = 0;
    let sum = 0;
    for (const end = filter + filters; filter < end; filter++) {
      if (readings.max[filter] === 0) blank += 1;
      sum += readings.zeros[filter];
    }
    blankFilters[layer] = blank;
    zeros[layer] = sum;
  }
  return { blankFilters, zeros };
}
