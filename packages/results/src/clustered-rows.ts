import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { measuredLayers } from '@filterscope/runs/run-document';
import { clusteredMeanInterval, clusteredRateInterval, designEffect } from '@filterscope/statistics/clusters';
import { deadBound, type Interval } from '@filterscope/statistics/intervals';
import { openClusters, type BlankAndZeros, type ClusterBy } from './cluster-sums.ts';
import type { Results } from './open-results.ts';
import { filterRows, layerRows, type FilterQuestion, type FilterRow, type LayerRow } from './summaries.ts';

/** What a row with cluster-robust intervals has beside those. Its `moreImages` is null: that depends on which clusters they come in. */
export interface Clustered {
  readonly clusters: number;
  /** How many times larger the variance is than that of independent images; null where all images are equal. */
  readonly blankRateDesignEffect: number | null;
  readonly zeroShareDesignEffect: number | null;
}

/** Fewer clusters than this make the intervals too narrow; how much so depends on how unequal they are. */
export const FEW_CLUSTERS = 30;

/** As `layerRows`, with cluster-robust intervals. @throws FilterscopeError `too-few-clusters`, `stopped-early`. */
export async function clusteredLayerRows(
  results: Results,
  by: ClusterBy,
  signal?: AbortSignal,
): Promise<(LayerRow & Clustered)[]> {
  requireWhole(results);
  await using clusters = await openClusters(results, by, {}, signal);
  const shapes = measuredLayers(results.document);
  const rows: (LayerRow & Clustered)[] = [];
  for (const row of await layerRows(results, signal)) {
    const sums = await clusters.ofLayer(shapes.find(({ layer }) => layer === row.layer)!);
    rows.push({
      ...row,
      ...intervals(row, sums, clusteredMeanInterval),
      deadBound: deadBound(clusters.clusters),
    });
  }
  return rows;
}

/** As `filterRows`, with cluster-robust intervals. @throws FilterscopeError as that, and `too-few-clusters`, `stopped-early`. */
export async function clusteredFilterRows(
  results: Results,
  question: FilterQuestion,
  by: ClusterBy,
  signal?: AbortSignal,
): Promise<(FilterRow & Clustered)[]> {
  requireWhole(results);
  const rows = await filterRows(results, question, signal);
  await using clusters = await openClusters(results, by, { only: question.class }, signal);
  const sums = new Map<string, BlankAndZeros[]>();
  for (const shape of measuredLayers(results.document)) {
    if (question.layer === undefined || question.layer === shape.layer)
      sums.set(shape.layer, await clusters.ofFilters(shape));
  }
  return rows.map((row) => ({
    ...row,
    ...intervals(row, sums.get(row.layer)![row.filter], clusteredRateInterval),
    deadBound: row.dead ? deadBound(clusters.clusters) : null,
  }));
}

/** What of a row is another with clusters. */
function intervals(
  row: LayerRow | FilterRow,
  { blank, zeros }: BlankAndZeros,
  blankInterval: (sums: BlankAndZeros['blank']) => Interval,
) {
  if (blank.n !== row.images) {
    throw new RangeError(`clusters hold ${blank.n} images, the statistics of ${row.layer} ${row.images}`);
  }
  const [rate, share] = [blankInterval(blank), clusteredMeanInterval(zeros)];
  return {
    blankRateLow: rate.low,
    blankRateHigh: rate.high,
    zeroShareLow: share.low,
    zeroShareHigh: share.high,
    moreImages: null,
    clusters: blank.clusters,
    blankRateDesignEffect: designEffect(blank),
    zeroShareDesignEffect: designEffect(zeros),
  };
}

/** A run that stopped early has intervals that stand repeated looking at independent images; there are none for clusters. */
function requireWhole({ document }: Results): void {
  if (document.settings.until === null) return;
  throw new FilterscopeError(
    'stopped-early',
    'this run was to stop early (--until), which takes images to be independent; analyse without --until to ask for clusters',
  );
}
