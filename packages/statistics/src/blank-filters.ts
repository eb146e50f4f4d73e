import type { LayerShape, Readings } from './readings.ts';

/** Filters of each layer that are blank on the image `[layer]`. */
export function blankFiltersByLayer(layers: readonly LayerShape[], readings: Readings): Uint16Array {
  const counts = new Uint16Array(layers.length);
  let filter = 0;
  for (const [layer, { filters }] of layers.entries()) {
    for (const end = filter + filters; filter < end; filter++) {
      if (readings.max[filter] === 0) counts[layer] += 1;
    }
  }
  return counts;
}
