import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { decodeAccumulator } from '@filterscope/runs/accumulator-file';
import { measuredLayers } from '@filterscope/runs/run-document';
import { classSeparation } from '@filterscope/results/class-separation';
import { imageRows } from '@filterscope/results/images';
import type { Results } from '@filterscope/results/open-results';
import { filterRows, layerRows, type FilterRow } from '@filterscope/results/summaries';
import { topCrops, type TopCrop } from '@filterscope/results/top-crops';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { PUBLISHED_ZERO_SHARES } from '@filterscope/vgg16/published';
import { chooseFilters } from './choose-filters.ts';
import { classLines } from './class-lines.ts';
import { failureGroups } from './failure-groups.ts';
import type { Report, SeparatingFilters, ShownFilter } from './report.ts';

export interface GatherOptions {
  /** Opens the dataset, where a crop's picture is not stored and has to be made. */
  readonly dataset: () => Promise<ObjectStore>;
  readonly madeBy: string;
  readonly signal: AbortSignal;
}

/** Filters shown at either end of the order, and crops of each: what keeps a page below 3 MB. */
const FILTERS_SHOWN = 8;
const CROPS_SHOWN = 5;
const SEPARATING_SHOWN = 12;
const SIGNIFICANT = 0.05;

/** Asks a run everything that its report says. */
export async function gatherReport(results: Results, options: GatherOptions): Promise<Report> {
  const { document, index, complete, tables } = results;
  const { dataset, madeBy, signal } = options;
  const [layers, filters] = [await layerRows(results, signal), await filterRows(results, {}, signal)];
  const { bytes } = await tables.get(index.merged, undefined, signal);
  const { imagenet, flavour } = document.weights;
  const refusal = await refusalOf(dataset);
  const cropOptions = { most: CROPS_SHOWN, signal, ...(refusal === undefined && { dataset }) };
  const shown = async (rows: readonly FilterRow[]) => {
    const found: ShownFilter[] = [];
    for (const row of rows) {
      const crops = await topCrops(results, row.layer, row.filter, cropOptions);
      found.push({ row, crops: refusal === undefined ? crops : crops.map(explained(refusal)) });
    }
    return found;
  };
  const { mostSilent, leastSilent } = chooseFilters(filters, FILTERS_SHOWN);
  return {
    document,
    index,
    complete,
    layers,
    filters,
    published: imagenet ? PUBLISHED_ZERO_SHARES[flavour] : undefined,
    mostSilent: await shown(mostSilent),
    leastSilent: await shown(leastSilent),
    failures: await failureGroups(imageRows(results, signal)),
    classes: classLines(await decodeAccumulator(measuredLayers(document), bytes), document.classes),
    separating: await separatingFilters(results, signal),
    madeAt: new Date(),
    madeBy,
  };
}

/** @returns undefined where there are no classes, or only one that all images are of. */
async function separatingFilters(
  results: Results,
  signal: AbortSignal,
): Promise<SeparatingFilters | undefined> {
  if (results.document.classes.length === 0) return undefined;
  try {
    const { family, rows } = await classSeparation(results, { adjust: 'bh' }, signal);
    const certain = rows().filter(({ adjustedP }) => adjustedP < SIGNIFICANT);
    return { family, rows: certain.take(SEPARATING_SHOWN).toArray() };
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'no-results') return undefined;
    throw error;
  }
}

/** Why the dataset cannot be opened, undefined when it can. @throws when it may be there in a moment. */
async function refusalOf(dataset: () => Promise<ObjectStore>): Promise<string | undefined> {
  try {
    await dataset();
    return undefined;
  } catch (error) {
    if (error instanceof FilterscopeError && error.class === 'permanent') return error.message;
    throw error;
  }
}

/** Says of a crop that is missing because the dataset is what is wrong with that. */
const explained = (message: string) => (crop: TopCrop) =>
  crop.missing === null ? crop : { ...crop, missing: { code: 'dataset-unavailable', message } };
