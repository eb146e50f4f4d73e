import { deadBound } from '@filterscope/statistics/intervals';
import { measuredLayers } from '@filterscope/runs/run-document';
import type { Results } from './open-results.ts';
import { drops, formatPruningRule, type PruningRule } from './pruning-rule.ts';
import { filterRows, type FilterRow } from './summaries.ts';

/** What a rule says of the filters of a run. */
export interface Pruning {
  readonly run: string;
  readonly dataset: string;
  readonly weights: Readonly<{ name: string; sha256: string; flavour: string; synthetic: boolean }>;
  readonly rule: string;
  /** Images that the filters were judged on. */
  readonly images: number;
  /** What share of images a filter that is blank on all of these may still fire on; null without images. */
  readonly deadBound: number | null;
  readonly filters: number;
  readonly dropped: number;
  readonly layers: readonly PrunedLayer[];
  /** What whoever uses this should know, in sentences. */
  readonly warnings: readonly string[];
}

export interface PrunedLayer {
  readonly layer: string;
  /** In order; those dropped and those kept. */
  readonly rows: readonly (FilterRow & { readonly drop: boolean })[];
  /** Numbers of the dropped filters, in order. */
  readonly drop: readonly number[];
  readonly kept: number;
}

/** Fewer images than this say little of a filter: a dead one may still fire on 3 % of all images. */
const FEW_IMAGES = 100;

/** Judges every filter of a run. */
export async function pruneFilters(
  results: Results,
  rule: PruningRule,
  signal?: AbortSignal,
): Promise<Pruning> {
  const { document, index, complete } = results;
  const { run, dataset, weights } = document;
  const rows = (await filterRows(results, {}, signal)).map((row) => ({ ...row, drop: drops(rule, row) }));
  const layers = measuredLayers(document).map(({ layer }): PrunedLayer => {
    const ofLayer = rows.filter((row) => row.layer === layer);
    const drop = ofLayer.filter((row) => row.drop).map(({ filter }) => filter);
    return { layer, rows: ofLayer, drop, kept: ofLayer.length - drop.length };
  });
  const images = rows[0].images;
  const bound = images === 0 ? null : deadBound(images);
  const empty = layers.filter(({ kept }) => kept === 0).map(({ layer }) => layer);
  const warnings = [
    ...(empty.length > 0
      ? [`The rule drops every filter of ${empty.join(', ')}: no network works without a whole layer.`]
      : []),
    ...(images < FEW_IMAGES && bound !== null
      ? [
          `Only ${images} images: a filter blank on all of them may still fire on ${(bound * 100).toFixed(1)} % of others (one-sided 95 %, a filter).`,
        ]
      : []),
    ...(weights.synthetic ? ['The weights are synthetic: a made-up network.'] : []),
    ...(complete ? [] : [`The run is not complete: ${index.images} of ${document.manifest.rows} rows.`]),
  ];
  return {
    run,
    dataset,
    weights: {
      name: weights.name,
      sha256: weights.sha256,
      flavour: weights.flavour,
      synthetic: weights.synthetic,
    },
    rule: formatPruningRule(rule),
    images,
    deadBound: bound,
    filters: rows.length,
    dropped: rows.filter(({ drop }) => drop).length,
    layers,
    warnings,
  };
}
