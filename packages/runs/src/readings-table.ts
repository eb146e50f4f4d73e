import { filterCount, type LayerShape, type Readings } from '@filterscope/statistics/readings';
import { encodeParquetAside } from './encode-aside.ts';
import type { FlatLists } from './parquet.ts';

/** One image's readings with its name. */
export interface ReadingsRow {
  readonly row: number;
  readonly image: string;
  readonly class: string | null;
  readonly readings: Readings;
}

export const STATISTICS = ['zeros', 'max', 'mean', 'position'] as const;

/**
 * The table `readings`: one row an image; by layer and statistic a column `<layer>_<statistic>` with a list of one
 * number a filter. Encoded aside: a chunk's readings are 13 MB, which take 0.2 s.
 * @throws FilterscopeError `encoding-failed`
 */
export function encodeReadings(
  layers: readonly LayerShape[],
  rows: readonly ReadingsRow[],
): Promise<Uint8Array> {
  const lists: Record<string, FlatLists> = {};
  let offset = 0;
  for (const { layer, filters } of layers) {
    const range = [offset, offset + filters] as const;
    for (const statistic of STATISTICS) lists[`${layer}_${statistic}`] = flatten(rows, statistic, range);
    offset += filters;
  }
  const names = rows.map(({ row, image, class: cls }) => ({ row, image, class: cls }));
  return encodeParquetAside({ row: 'int32', image: 'string', class: 'string' }, names, lists);
}

function flatten(
  rows: readonly ReadingsRow[],
  statistic: (typeof STATISTICS)[number],
  [from, to]: readonly [number, number],
): FlatLists {
  const Type = statistic === 'zeros' || statistic === 'position' ? Uint16Array : Float32Array;
  const values = new Type(rows.length * (to - from));
  for (const [i, { readings }] of rows.entries())
    values.set(readings[statistic].subarray(from, to), i * (to - from));
  return values;
}

/** The readings in a decoded row of the table, the layers one after the other. */
export function decodeReadings(
  layers: readonly LayerShape[],
  cells: Readonly<Record<string, unknown>>,
): Readings {
  const count = filterCount(layers);
  const readings = {
    zeros: new Uint16Array(count),
    max: new Float32Array(count),
    mean: new Float32Array(count),
    position: new Uint16Array(count),
  };
  let offset = 0;
  for (const { layer, filters } of layers) {
    for (const statistic of STATISTICS) {
      const list = cells[`${layer}_${statistic}`];
      const fits = (list instanceof Uint16Array || list instanceof Float32Array) && list.length === filters;
      if (!fits) throw new RangeError(`the row has no ${filters} numbers in ${layer}_${statistic}`);
      readings[statistic].set(list, offset);
    }
    offset += filters;
  }
  return readings;
}
