import type { Readings } from '@filterscope/statistics/readings';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { naiveReadings } from '@filterscope/vgg16/reference-network';
import { measured, type Check } from './check.ts';
import type { Maps } from './differences.ts';
import { referenceTiles } from './reference-tiles.ts';

/** Readings against a look at every activation. */
export function readingsCheck(layers: readonly ConvolutionLayer[], maps: Maps, readings: Readings): Check {
  const naive = naiveReadings(layers, maps);
  const exact = (['zeros', 'max', 'position'] as const).reduce(
    (sum, name) => sum + countDiffering(readings[name], naive[name]),
    0,
  );
  const mean = naive.mean.reduce(
    (worst, mean, i) => Math.max(worst, Math.abs(readings.mean[i] - mean) / (mean || 1)),
    0,
  );
  const detail = `zeros, maximum and its position of ${readings.zeros.length.toLocaleString('en-US')} filters against a look at every activation: ${exact} differ; deviation is that of the means`;
  return measured('readings', exact === 0 ? mean : Infinity, 1e-5, detail);
}

function countDiffering(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return Array.from(a, (value, i) => Number(value !== b[i])).reduce((sum, one) => sum + one, 0);
}

/** Grey levels may differ by 1 where a value lies half-way between two; none by more. */
const LEVELS_OFF = 1e-5;

export function tilesCheck(
  layers: readonly ConvolutionLayer[],
  maps: Maps,
  { max }: Readings,
  tiles: readonly Uint8Array[],
): Check {
  let [differing, worst, levels, offset] = [0, 0, 0, 0];
  for (const [i, layer] of layers.entries()) {
    const expected = referenceTiles(maps[i], max.subarray(offset, (offset += layer.filters)), layer);
    levels += expected.length;
    for (const [at, level] of expected.entries()) {
      const difference = Math.abs(level - tiles[i][at]);
      if (difference > 0) differing++;
      worst = Math.max(worst, difference);
    }
  }
  const detail = `${levels.toLocaleString('en-US')} grey levels against the full activations: ${differing} differ, by ${worst} at most; deviation is their share`;
  return measured('tiles', worst <= 1 ? differing / levels : Infinity, LEVELS_OFF, detail);
}
