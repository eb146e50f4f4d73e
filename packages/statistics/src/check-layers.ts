import { filterCount, type LayerShape } from './readings.ts';

/**
 * @throws RangeError for layers beyond what statistics hold: a layer has at least one filter, a map 1 … 65,535
 * positions, all maps of a layer fewer than 2^26, and all layers at most 65,535 filters.
 */
export function checkLayers(layers: readonly LayerShape[]): void {
  for (const { layer, filters, positions } of layers) {
    const counts = Number.isInteger(filters) && Number.isInteger(positions) && filters > 0 && positions > 0;
    if (!counts || positions > 65_535 || filters * positions >= 2 ** 26) {
      throw new RangeError(`${layer}: ${filters} filters of ${positions} positions cannot be counted`);
    }
  }
  const all = filterCount(layers);
  if (all > 65_535) throw new RangeError(`${all} filters are more than can be counted`);
}
