import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { EngineIdentity } from '@filterscope/vgg16/engine';
import { orderOf } from './image-key.ts';
import { readComplete, type IndexDocument } from './index-document.ts';
import type { ManifestRow, ManifestRows } from './manifest-rows.ts';
import { decodeColumns } from './parquet.ts';
import type { RunPlan } from './plan-run.ts';
import type { Reuse, ReuseEntry } from './reuse-table.ts';
import { readRunDocument, type RunDocument } from './run-document.ts';
import { RUNS } from './run-keys.ts';
import { settleAll } from './settle-all.ts';

/** Earlier runs that are looked through at most, the likeliest first. */
const MAX_SOURCES = 8;
/** Their rows are decoded so many at a time: what is decoded is then freed before it is old. */
const ROWS_AT_A_TIME = 1024;

export interface ReuseSearch {
  /** Where the run's images are. */
  readonly dataset: string;
  readonly access: RunDocument['access'];
  readonly output: ObjectStore;
  /** Whoever carries the run out, where that is known: only what the same engine measured is of use to it. */
  readonly engine?: EngineIdentity;
  /** Told before earlier runs are looked through, which takes seconds for a million images. */
  readonly onSources?: (runs: number) => void;
}

/** An earlier run whose readings are what this run would measure. */
interface Source {
  readonly document: RunDocument;
  readonly index: IndexDocument;
  readonly sameDataset: boolean;
}

/**
 * Looks for a run's images in the complete runs of its output that had the same weights and settings. Images that get grids
 * are left out: their pictures must be drawn.
 * @returns null where nothing can be taken over.
 */
export async function findReuse(
  plan: RunPlan,
  search: ReuseSearch,
  signal?: AbortSignal,
): Promise<Reuse | null> {
  const { gridRows } = plan;
  const { rows } = plan.manifest;
  if (gridRows >= rows.length) return null;
  const sources = await findSources(plan, search, signal);
  if (sources.length === 0) return null;
  search.onSources?.(sources.length);

  /** By row: the number of its source, counted from 1, or 0 for none; the row there; whether it is unchanged since. */
  const source = new Uint8Array(rows.length);
  const sourceRow = new Uint32Array(rows.length);
  const unchanged = new Uint8Array(rows.length);
  let left = plan.images - plan.gridImages;
  for (const [i, { index, sameDataset }] of sources.entries()) {
    if (left === 0) break;
    const cursor = cursorOver(rows);
    for await (const earlier of earlierImages(search.output, index, signal)) {
      for (let j = 0; j < earlier.length; j++) {
        if (!earlier.isOk(j)) continue;
        const entry = cursor.seek(earlier.image(j));
        const row = cursor.row();
        if (!entry || row < gridRows || entry.skip !== null || unchanged[row]) continue;
        const same = sameDataset && isUnchanged(entry, earlier.listing(j));
        if (!same && source[row] > 0) continue;
        source[row] = i + 1;
        sourceRow[row] = earlier.row(j);
        if (!same) continue;
        unchanged[row] = 1;
        left--;
      }
    }
  }

  const used = sources.filter((_, i) => source.includes(i + 1));
  if (used.length === 0) return null;
  const count = unchanged.reduce((sum, flag) => sum + flag, 0);
  return {
    runs: used.map(({ document }) => document),
    engines: enginesOf(used),
    unchanged: count,
    sameName: source.reduce((sum, number) => sum + (number > 0 ? 1 : 0), 0) - count,
    entries: (from, to) => {
      const entries: ReuseEntry[] = [];
      for (let row = from; row < Math.min(to, rows.length); row++) {
        if (source[row] > 0)
          entries.push({ row, run: sources[source[row] - 1].document.run, runRow: sourceRow[row] });
      }
      return entries;
    },
  };
}

/**
 * Whether an image has not changed since it was listed before: the same ETag and size under the same key of the same dataset. An
 * ETag is no digest of the content (S3's is none of parts or encrypted objects, a folder's is size and date), so that between
 * datasets it proves nothing.
 */
export function isUnchanged(
  now: Pick<ManifestRow, 'etag' | 'sizeBytes'>,
  then: Pick<ManifestRow, 'etag' | 'sizeBytes'>,
): boolean {
  return now.etag !== '' && now.etag === then.etag && now.sizeBytes === then.sizeBytes;
}

/** Whether two runs read the same dataset, as far as URLs tell. */
export function isSameDataset(
  a: Pick<RunDocument, 'dataset' | 'access'>,
  b: Pick<RunDocument, 'dataset' | 'access'>,
): boolean {
  return a.dataset === b.dataset && a.access.datasetEndpoint === b.access.datasetEndpoint;
}

/** The runs that readings may be taken from: those of the same dataset first, then the newest first. */
async function findSources(plan: RunPlan, search: ReuseSearch, signal?: AbortSignal): Promise<Source[]> {
  const { output, engine } = search;
  const runs = (await Array.fromAsync(output.folders(RUNS, signal))).filter((run) => run !== plan.run);
  const readSource = async (run: string): Promise<Source[]> => {
    const document = await unlessPermanent(readRunDocument(output, run, signal));
    if (!document || !measuresTheSame(document, plan)) return [];
    const index = await unlessPermanent(readComplete(output, run, signal));
    if (!index || (engine && !index.engines.some((other) => isSameEngine(other, engine)))) return [];
    return [{ document, index, sameDataset: isSameDataset(document, search) }];
  };
  const found = (await settleAll(runs.map(readSource))).flat();
  const byLikelihood = (a: Source, b: Source) =>
    Number(b.sameDataset) - Number(a.sameDataset) || b.document.createdAt.localeCompare(a.document.createdAt);
  return found.toSorted(byLikelihood).slice(0, MAX_SOURCES);
}

/** What a run measured of a layer does not depend on which other layers it measured. */
function measuresTheSame(earlier: RunDocument, { settings, weights }: RunPlan): boolean {
  const measured = new Set(earlier.settings.layers);
  return (
    earlier.settings.readings === 'full' &&
    earlier.weights.sha256 === weights.sha256 &&
    earlier.weights.flavour === weights.content.flavour &&
    earlier.settings.fit === settings.fit &&
    earlier.settings.kernel === settings.kernel &&
    settings.layers.every((layer) => measured.has(layer))
  );
}

export function isSameEngine(a: EngineIdentity, b: EngineIdentity): boolean {
  return a.name === b.name && a.version === b.version && a.processor === b.processor;
}

function enginesOf(sources: readonly Source[]): string[] {
  const engines = sources.flatMap(({ index }) => index.engines);
  return [...new Set(engines.map(({ name, version }) => `${name} ${version}`))].toSorted();
}

/** What cannot be read of an earlier run, for good, is not taken over; an outage stays an error. */
export async function unlessPermanent<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof FilterscopeError && error.class === 'permanent') return undefined;
    throw error;
  }
}

/** Rows of the table `images` of an earlier run, in manifest order; looked at by column, which a million rows need. */
interface EarlierImages {
  readonly length: number;
  readonly isOk: (i: number) => boolean;
  readonly image: (i: number) => string;
  readonly row: (i: number) => number;
  readonly listing: (i: number) => Pick<ManifestRow, 'etag' | 'sizeBytes'>;
}

const COLUMNS = ['row', 'image', 'status', 'sizeBytes', 'etag'];

async function* earlierImages(
  output: ObjectStore,
  { tables }: IndexDocument,
  signal?: AbortSignal,
): AsyncGenerator<EarlierImages> {
  for (const key of tables.images) {
    const object = await unlessPermanent(output.get(key, undefined, signal));
    if (!object) return; // the run is being deleted
    for (let offset = 0, rows = 1; rows > 0; offset += rows) {
      const table = decodeColumns(object.bytes, { offset, limit: ROWS_AT_A_TIME });
      rows = table.numRows;
      const [row, image, status, sizeBytes, etag] = COLUMNS.map((name) => table.getChild(name));
      if (!row || !image || !status || !sizeBytes || !etag) return; // another version wrote it
      yield {
        length: table.numRows,
        isOk: (i) => status.get(i) === 'ok',
        image: (i) => String(image.get(i)),
        row: (i) => Number(row.get(i)),
        listing: (i) => ({ sizeBytes: Number(sizeBytes.get(i)), etag: String(etag.get(i)) }),
      };
    }
  }
}

/** Walks through rows in manifest order, along with another list in that order. */
function cursorOver(rows: ManifestRows) {
  const iterator = rows[Symbol.iterator]();
  let next = iterator.next();
  let row = 0;
  return {
    row: () => row,
    /** Goes on to the place of a key. @returns the row that has it, if any */
    seek(image: string): ManifestRow | undefined {
      let order: Buffer | undefined;
      while (!next.done && next.value.image !== image) {
        order ??= orderOf(image);
        if (orderOf(next.value.image).compare(order) > 0) return undefined;
        next = iterator.next();
        row++;
      }
      return next.done ? undefined : next.value;
    },
  };
}
