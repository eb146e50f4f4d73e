import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { decodeAccumulator } from '@filterscope/runs/accumulator-file';
import { measuredLayers, type RunDocument } from '@filterscope/runs/run-document';
import type { Adjustment } from '@filterscope/statistics/adjust-p';
import {
  compareIndependent,
  comparePaired,
  comparisonRows,
  type Compared,
  type ComparisonRow,
} from '@filterscope/statistics/comparison';
import type { LayerShape } from '@filterscope/statistics/readings';
import type { Results } from './open-results.ts';

export interface ComparisonQuestion {
  /** Only this layer and its filters. */
  readonly layer?: string;
  readonly adjust: Adjustment;
  /** B's weights were fine-tuned from A's, or the other way round: filter i is the same in both. */
  readonly sameLineage: boolean;
  /** Common images that are paired at most, the first ones of A's manifest; 0 compares two independent samples. */
  readonly pairs: number;
}

/** How two runs' images stand to each other, and which of them were compared. */
export type Samples =
  | {
      readonly kind: 'paired';
      /** Pairs of the same image. */
      readonly images: number;
      /** Whether there may be more in common than were asked for. */
      readonly more: boolean;
    }
  | { readonly kind: 'independent'; readonly imagesA: number; readonly imagesB: number };

/** What differs between two runs, `b − a` throughout. */
export interface Comparison {
  readonly a: Results;
  readonly b: Results;
  readonly samples: Samples;
  readonly adjust: Adjustment;
  /** One family. */
  readonly layers: readonly ComparisonRow[];
  /** Another; null where filter i of one run is not filter i of the other. */
  readonly filters: readonly ComparisonRow[] | null;
  /** In sentences, what a reader has to know. */
  readonly notes: readonly string[];
}

/**
 * Compares two runs.
 * - Where they measured differently (weights, flavour, fit, resize kernel or engine) and have images in common by content, at
 *   least half of the smaller run's or as many as are asked for, these are paired.
 * - Where they measured alike, images in common have the same readings and tell nothing: the runs are two independent samples,
 *   unless their manifests are the same.
 * - All else are two independent samples. An image in both then counts on both sides, which makes intervals wider than they
 *   would have to be, never narrower.
 * @throws FilterscopeError `same-run`, `unknown-layer`, `nothing-in-common`, `no-results`, `no-readings`.
 */
export async function compareRuns(
  a: Results,
  b: Results,
  question: ComparisonQuestion,
  signal?: AbortSignal,
): Promise<Comparison> {
  if (a.document.run === b.document.run && a.output.url === b.output.url) {
    throw new FilterscopeError('same-run', `${name(a)} is the same run as itself: give two different ones`);
  }
  for (const run of [a, b]) {
    if (run.index.ok > 0) continue;
    const message = `no image of run ${name(run)} is ok, so there is nothing to compare; "filterscope failures" says why`;
    throw new FilterscopeError('no-results', message);
  }
  const layers = commonLayers(a, b, question.layer);
  const { samples, compared } =
    (await pairedIfSame(a, b, layers, question, signal)) ?? (await independent(a, b, layers, signal));
  const sameFilters = question.sameLineage || a.document.weights.sha256 === b.document.weights.sha256;
  return {
    a,
    b,
    samples,
    adjust: question.adjust,
    layers: comparisonRows(compared.layers, question.adjust),
    filters: sameFilters ? comparisonRows(compared.filters, question.adjust) : null,
    notes: notesOn(a, b, samples, sameFilters),
  };
}

const name = ({ document }: Results) => document.run.slice(0, 12);
const layerNames = ({ document }: Results) => measuredLayers(document).map(({ layer }) => layer);

function commonLayers(a: Results, b: Results, only: string | undefined): LayerShape[] {
  const common = measuredLayers(a.document).filter(({ layer }) => layerNames(b).includes(layer));
  const measured = [a, b].map((run) => `${name(run)} measured ${layerNames(run).join(', ')}`);
  if (common.length === 0) {
    const message = `the runs have no layer in common: ${measured.join('; ')}; analyse one of them again with the other's --layers`;
    throw new FilterscopeError('nothing-in-common', message);
  }
  const asked = common.filter(({ layer }) => only === undefined || layer === only);
  if (asked.length > 0) return asked;
  const message = `the runs do not both have a layer "${only}"; both have ${common.map(({ layer }) => layer).join(', ')}`;
  throw new FilterscopeError('unknown-layer', message);
}

interface Answer {
  readonly samples: Samples;
  readonly compared: { readonly layers: Compared[]; readonly filters: Compared[] };
}

async function pairedIfSame(
  a: Results,
  b: Results,
  layers: readonly LayerShape[],
  { pairs: limit }: ComparisonQuestion,
  signal?: AbortSignal,
): Promise<Answer | undefined> {
  const sameManifest = a.document.manifest.digest === b.document.manifest.digest;
  if (limit === 0 || (measuredAlike(a, b) && !sameManifest)) return undefined;
  const { openPairReader } = await import('./paired-readings.ts');
  await using reader = await openPairReader(a, b, signal);
  const pairs = await reader.pairs(limit);
  const images = pairs.rowsA.length;
  const fewer = Math.min(counted(a), counted(b));
  const enough = Math.min(limit, fewer / 2);
  if (images < enough || images === 0) return undefined;
  for (const run of [a, b]) {
    if (run.document.settings.readings !== 'none') continue;
    throw new FilterscopeError(
      'no-readings',
      `the runs have the same images, but ${name(run)} kept no readings (--readings none), so that the images cannot be compared one by one; ` +
        '"--pairs none" compares the runs as if their images were different ones, which finds less',
    );
  }
  const sums = await reader.sum(pairs, layers);
  const more = images === limit && images < fewer;
  return { samples: { kind: 'paired', images, more }, compared: comparePaired(sums) };
}

async function independent(
  a: Results,
  b: Results,
  layers: readonly LayerShape[],
  signal?: AbortSignal,
): Promise<Answer> {
  const [inA, inB] = await Promise.all(
    [a, b].map(async ({ tables, index, document }) => {
      const { bytes } = await tables.get(index.merged, undefined, signal);
      return decodeAccumulator(measuredLayers(document), bytes);
    }),
  );
  return {
    samples: { kind: 'independent', imagesA: inA.images, imagesB: inB.images },
    compared: compareIndependent(inA, inB, layers),
  };
}

/** Images that a run's numbers count. */
const counted = ({ document, index }: Results) =>
  document.settings.countDuplicates === 'once' ? index.ok - index.duplicates : index.ok;

/** What makes readings of the same image differ, by name. */
function differences(a: Results, b: Results): string[] {
  const [x, y] = [a.document, b.document];
  const of: [string, (run: RunDocument) => unknown][] = [
    ['weights', ({ weights }) => weights.sha256],
    ['flavour', ({ weights }) => weights.flavour],
    ['fit', ({ settings }) => settings.fit],
    ['resize kernel', ({ settings }) => settings.kernel],
  ];
  const found = of.filter(([, value]) => value(x) !== value(y)).map(([what]) => what);
  const sameEngines = JSON.stringify(a.index.engines) === JSON.stringify(b.index.engines);
  return sameEngines ? found : [...found, 'engine'];
}

const measuredAlike = (a: Results, b: Results) => differences(a, b).length === 0;

function notesOn(a: Results, b: Results, samples: Samples, sameFilters: boolean): string[] {
  const differing = differences(a, b);
  const notes: string[] = [];
  if (samples.kind === 'independent' && differing.length > 0) {
    notes.push(
      `The runs differ in their images and in ${listed(differing)}: what is found is the effect of both.`,
    );
  }
  if (samples.kind === 'independent' && differing.length === 0 && a.document.dataset === b.document.dataset) {
    notes.push(
      'Both runs are of the same dataset: images in both count on both sides, which makes the intervals wider.',
    );
  }
  if (!sameFilters) {
    notes.push(
      'Filters are not compared: with other weights, filter 1 of one run is not filter 1 of the other. If one was fine-tuned from the other, add --same-lineage.',
    );
  }
  for (const run of [a, b]) {
    const engines = new Set(
      run.index.engines.map(({ name, version, processor }) => `${name} ${version} (${processor})`),
    );
    if (engines.size > 1) notes.push(`Run ${name(run)} mixed engines: ${[...engines].join(', ')}.`);
    const other = run === a ? b : a;
    const alone = layerNames(run).filter((layer) => !layerNames(other).includes(layer));
    if (alone.length > 0) notes.push(`Only run ${name(run)} measured ${listed(alone)}.`);
  }
  return notes;
}

export function listed(items: readonly string[]): string {
  return items.length < 2 ? items.join('') : `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}
