import { createHash } from 'node:crypto';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { imageRows } from '@filterscope/results/images';
import type { Results } from '@filterscope/results/open-results';
import { layerRows } from '@filterscope/results/summaries';
import type { ImageRow } from '@filterscope/runs/image-row';
import { decodeParquet } from '@filterscope/runs/parquet';
import { decodeReadings } from '@filterscope/runs/readings-table';
import { measuredLayers } from '@filterscope/runs/run-document';
import { weightsKey } from '@filterscope/runs/run-keys';
import type { Readings } from '@filterscope/statistics/readings';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { measured, notApplicable, type Check } from './check.ts';

export interface RunUnderTest {
  readonly results: Results;
  /** Measures the run's layers with the run's weights. */
  readonly openEngine: () => Promise<Engine>;
  readonly openDataset: () => Promise<ObjectStore>;
}

/** Images that are computed once more. */
const RECOMPUTED = 3;
/** Zeros that another engine or processor may find otherwise: next to 0, last bits decide. */
const FLIPPED = 5e-6;
/** Sums are integers; the tables' shares are divided once. */
const ROUNDING = 1e-12;

/** Is what a run has stored what this installation makes of the same? */
export async function* runChecks(run: RunUnderTest, signal: AbortSignal): AsyncGenerator<Check> {
  const { results } = run;
  const { document, output } = results;
  const { bytes } = await output.get(weightsKey(document.weights.sha256), undefined, signal);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  yield measured(
    'run: weights',
    sha256 === document.weights.sha256 ? 0 : 1,
    0,
    `the stored weights have the digest in their name, ${sha256.slice(0, 12)}…`,
  );
  if (document.settings.readings === 'none') {
    const why = 'the run kept no readings (--readings none)';
    yield notApplicable('run: sums', why);
    yield notApplicable('run: readings', why);
    return;
  }
  const { first, difference, images } = await addUp(results, signal);
  yield measured(
    'run: sums',
    difference,
    ROUNDING,
    `zero shares and blank rates of the layers against plain sums over the readings of ${images.toLocaleString('en-US')} images`,
  );
  yield await recompute(run, first, signal);
}

interface StoredReadings {
  readonly row: number;
  readonly readings: Readings;
}

/** The tables of the layers once more, by adding up every reading in floating point. */
async function addUp(results: Results, signal: AbortSignal) {
  const layers = measuredLayers(results.document);
  const rows = await layerRows(results, signal);
  const copies = await copiesLeftOut(results, rows[0].images, signal);
  const sums = layers.map(() => ({ zeros: 0, blank: 0 }));
  const first: StoredReadings[] = [];
  let images = 0;
  for (const key of results.index.tables.readings) {
    const { bytes } = await results.output.get(key, undefined, signal);
    for (const cells of decodeParquet(bytes)) {
      const row = Number(cells['row']);
      const readings = decodeReadings(layers, cells);
      if (first.length < RECOMPUTED) first.push({ row, readings });
      if (copies.has(row)) continue;
      images++;
      let i = 0;
      for (const [at, { filters, positions }] of layers.entries()) {
        for (const end = i + filters; i < end; i++) {
          sums[at].zeros += readings.zeros[i] / positions;
          sums[at].blank += readings.max[i] === 0 ? 1 : 0;
        }
      }
    }
  }
  const differences = rows.flatMap(({ zeroShare, blankRate, filters }, i) => [
    Math.abs((zeroShare ?? 0) - sums[i].zeros / (filters * images)),
    Math.abs((blankRate ?? 0) - sums[i].blank / (filters * images)),
  ]);
  return { first, images, difference: rows[0].images === images ? Math.max(...differences) : Infinity };
}

/** Rows that hold the bytes of an earlier one, where the run counts such images once. @param counted images that the tables count */
async function copiesLeftOut(
  results: Results,
  counted: number,
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const copies = new Set<number>();
  if (results.index.ok === counted) return copies;
  for await (const { row, duplicateOf } of imageRows(results, signal))
    if (duplicateOf !== null) copies.add(row);
  return copies;
}

/** A few images from their bytes on, against what the run stored of them. */
async function recompute(
  { results, openEngine, openDataset }: RunUnderTest,
  stored: readonly StoredReadings[],
  signal: AbortSignal,
): Promise<Check> {
  const name = 'run: readings';
  const { document, index } = results;
  const rows = new Map<number, ImageRow>();
  const wanted = new Set(stored.map(({ row }) => row));
  for await (const row of imageRows(results, signal)) {
    if (wanted.has(row.row)) rows.set(row.row, row);
    if (rows.size === wanted.size) break;
  }
  let dataset: ObjectStore;
  try {
    dataset = await openDataset();
  } catch (error) {
    if (error instanceof FilterscopeError && error.class === 'permanent')
      return notApplicable(name, error.message);
    throw error;
  }
  await using engine = await openEngine();
  let [differing, positions, images] = [0, 0, 0];
  for (const { row, readings } of stored) {
    const { image, etag } = rows.get(row)!;
    const fetched = await dataset.get(image, undefined, signal).catch((error: unknown) => {
      if (error instanceof FilterscopeError && error.class === 'permanent') return undefined;
      throw error;
    });
    if (fetched === undefined || fetched.etag !== etag) continue;
    const prepared = await prepareImage(fetched.bytes, document.settings.fit, signal);
    if (prepared.status === 'failed') continue;
    const [again] = await engine.infer([prepared.pixels], {}, signal);
    images++;
    differing += again.readings.zeros.reduce((sum, zeros, i) => sum + Math.abs(zeros - readings.zeros[i]), 0);
    for (const layer of measuredLayers(document)) positions += layer.filters * layer.positions;
  }
  if (images === 0) return notApplicable(name, 'the images of the run are gone or have changed');
  const same =
    index.engines.length === 1 &&
    Object.entries(index.engines[0]).every(
      ([field, value]) => engine.identity[field as keyof typeof engine.identity] === value,
    );
  const detail = `zeros of ${images} images computed again by ${same ? 'the same engine on the same family of processors' : 'another engine or processor than the run’s'}: share of positions that differ`;
  return measured(name, differing / positions, same ? 0 : FLIPPED, detail);
}
