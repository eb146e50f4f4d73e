import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { decodeAccumulator } from '@filterscope/runs/accumulator-file';
import { measuredLayers, reachOf } from '@filterscope/runs/run-document';
import type { Adjustment } from '@filterscope/statistics/adjust-p';
import { separateClasses, type ClassRow as CountedRow } from '@filterscope/statistics/class-separation';
import type { Results } from './open-results.ts';
import { requireLayer, unknownClass } from './summaries.ts';

export interface ClassesQuestion {
  /** Only this class; all of them unless told. */
  readonly class?: string;
  readonly layer?: string;
  readonly adjust: Adjustment;
}

export type ClassRow = { readonly class: string } & Omit<CountedRow, 'classId'> & {
    /** What p-values are adjusted over. */
    readonly family: string;
    readonly synthetic: boolean;
  };

/** How filters tell classes from the rest. */
export interface ClassSeparation {
  readonly family: string;
  /** Classes that were asked for and are all that there is: they have no rest. */
  readonly withoutRest: readonly string[];
  /** One row a class and filter, surest first, made as they are asked for. */
  readonly rows: () => Generator<ClassRow>;
}

/**
 * How filters' blank rates on a class differ from those on all other images.
 * @throws FilterscopeError `unknown-layer`, `unknown-class`, `no-results` when no class has a rest.
 */
export async function classSeparation(
  results: Results,
  { class: only, layer, adjust }: ClassesQuestion,
  signal?: AbortSignal,
): Promise<ClassSeparation> {
  const { document, tables, index } = results;
  if (layer !== undefined) requireLayer(results, layer);
  const layers = measuredLayers(document);
  const { bytes } = await tables.get(index.merged, undefined, signal);
  const accumulator = await decodeAccumulator(layers, bytes);
  const nameOf = (id: number) => document.classes[id];
  const asked = [...accumulator.classes.keys()]
    .toSorted((x, y) => x - y)
    .filter((id) => only === undefined || nameOf(id) === only);
  if (asked.length === 0) throw unknownClass(document, only);
  const hasRest = (id: number) => accumulator.classes.get(id)!.images < accumulator.images;
  const classIds = asked.filter(hasRest);
  const withoutRest = asked.filter((id) => !hasRest(id)).map(nameOf);
  if (classIds.length === 0) {
    const message = `every image that is ok is of class "${withoutRest.join('", "')}": there is no rest to tell it from`;
    throw new FilterscopeError('no-results', message);
  }
  const measured = layers.filter((shape) => layer === undefined || shape.layer === layer);
  const filters = measured.reduce((sum, shape) => sum + shape.filters, 0);
  const family = `${classIds.length} ${classIds.length === 1 ? 'class' : 'classes'} × ${filters} filters`;
  const { synthetic } = document.weights;
  const question = { classIds, adjust, ...(layer !== undefined && { layer }) };
  return {
    family,
    withoutRest,
    *rows() {
      for (const { classId, ...row } of separateClasses(accumulator, question, reachOf(document)))
        yield { class: nameOf(classId), ...row, family, synthetic };
    },
  };
}
