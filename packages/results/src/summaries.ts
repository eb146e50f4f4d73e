import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { decodeAccumulator } from '@filterscope/runs/accumulator-file';
import { decodeColumns, decodeParquet, rowReader } from '@filterscope/runs/parquet';
import { decodeReadings } from '@filterscope/runs/readings-table';
import { rowClasses } from '@filterscope/runs/row-classes';
import { measuredLayers, reachOf, type RunDocument } from '@filterscope/runs/run-document';
import { addReadings, createAccumulator } from '@filterscope/statistics/accumulator';
import { filterDetail, type FilterDetail } from '@filterscope/statistics/filter-detail';
import { summarizeFilters, type FilterSummary, type LayerSummary } from '@filterscope/statistics/summary';
import type { Results } from './open-results.ts';
import { uncountedRows } from './uncounted-rows.ts';

export type LayerRow = LayerSummary & { readonly synthetic: boolean };
export type FilterRow = FilterSummary & { readonly synthetic: boolean };

/** One row a layer, in network order. */
export async function layerRows(results: Results, signal?: AbortSignal): Promise<LayerRow[]> {
  return (await readTable(results, 'layers', signal)) as unknown as LayerRow[];
}

export const FILTER_ORDERS = ['blank', 'zeros', 'max'] as const;
export interface FilterQuestion {
  readonly layer?: string;
  /** Over the images of this class alone. */
  readonly class?: string;
  /** Highest blank rate, zero share or maximum first; network order unless told. */
  readonly sort?: (typeof FILTER_ORDERS)[number];
}

/**
 * One row a filter.
 * @throws FilterscopeError `unknown-layer`, `unknown-class`, `no-readings`.
 */
export async function filterRows(
  results: Results,
  question: FilterQuestion,
  signal?: AbortSignal,
): Promise<FilterRow[]> {
  if (question.layer !== undefined) requireLayer(results, question.layer);
  const all =
    question.class === undefined
      ? ((await readTable(results, 'filters', signal)) as unknown as FilterRow[])
      : await filterRowsOfClass(results, question.class, signal);
  const rows = all.filter(({ layer }) => question.layer === undefined || layer === question.layer);
  const value = { blank: rateOf, zeros: zerosOf, max: maxOf }[question.sort ?? 'blank'];
  return question.sort === undefined ? rows : rows.toSorted((a, b) => value(b) - value(a));
}

const rateOf = ({ blankRate }: FilterRow) => blankRate ?? -1;
const zerosOf = ({ zeroShare }: FilterRow) => zeroShare ?? -1;
const maxOf = ({ maxActivation }: FilterRow) => maxActivation ?? -1;

/** @throws FilterscopeError `unknown-layer`. */
export function requireLayer({ document }: Results, layer: string): void {
  const { layers } = document.settings;
  if ((layers as readonly string[]).includes(layer)) return;
  throw new FilterscopeError(
    'unknown-layer',
    `this run has no layer "${layer}"; it measured ${layers.join(', ')}`,
  );
}

/** @param name of the class that was asked for; any without one */
export function unknownClass({ classes }: RunDocument, name?: string): FilterscopeError {
  const asked = name === undefined ? 'with a class' : `of class "${name}"`;
  const known =
    classes.length > 0
      ? `its classes are ${classes.slice(0, 20).join(', ')}`
      : 'it has no classes (the first folders of a dataset, or --labels), or too many to name them here';
  return new FilterscopeError('unknown-class', `this run has no image ${asked} that is ok; ${known}`);
}

/** From the readings themselves: the run's sums know classes by their blank images only. */
async function filterRowsOfClass(results: Results, name: string, signal?: AbortSignal): Promise<FilterRow[]> {
  const { document, index, output } = results;
  if (document.settings.readings === 'none') {
    throw new FilterscopeError(
      'no-readings',
      'this run kept no readings (--readings none), which this question needs',
    );
  }
  const layers = measuredLayers(document);
  const accumulator = createAccumulator(layers, { topK: 0 });
  const uncounted = await uncountedRows(results, signal);
  for (const key of index.tables.readings) {
    const { bytes } = await output.get(key, undefined, signal);
    const table = decodeColumns(bytes);
    const rowAt = rowReader(table);
    const classes = table.getChild('class');
    for (let i = 0; i < table.numRows; i++) {
      const cls: unknown = classes?.get(i);
      if (typeof cls !== 'string' || !rowClasses(document, cls).includes(name)) continue;
      const cells = rowAt(i);
      const { row } = cells;
      if (typeof row === 'number' && !uncounted.has(row))
        addReadings(accumulator, { row, classIds: [] }, decodeReadings(layers, cells));
    }
  }
  if (accumulator.images === 0) {
    throw unknownClass(document, name);
  }
  const { synthetic } = document.weights;
  return summarizeFilters(accumulator, reachOf(document)).map((row) => ({ ...row, synthetic }));
}

/** One filter in full, its classes and top images as numbers of `run.json`'s class list and the manifest. */
export async function filterInFull(
  results: Results,
  layer: string,
  filter: number,
  signal?: AbortSignal,
): Promise<FilterDetail> {
  requireLayer(results, layer);
  const layers = measuredLayers(results.document);
  const { filters } = layers.find((shape) => shape.layer === layer)!;
  if (filter >= filters) {
    throw new FilterscopeError('unknown-filter', `${layer} has filters 0 … ${filters - 1}, not ${filter}`);
  }
  const { bytes } = await results.tables.get(results.index.merged, undefined, signal);
  return filterDetail(await decodeAccumulator(layers, bytes), layer, filter, reachOf(results.document));
}

async function readTable({ tables, index }: Results, table: 'layers' | 'filters', signal?: AbortSignal) {
  const files = await Promise.all(index.tables[table].map((key) => tables.get(key, undefined, signal)));
  return files.flatMap(({ bytes }) => decodeParquet(bytes));
}
