import { createHash } from 'node:crypto';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { blankFiltersByLayer } from '@filterscope/statistics/blank-filters';
import type { Readings } from '@filterscope/statistics/readings';
import { readingsProblem } from '@filterscope/statistics/readings-problem';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import { layerGrids, mapsForGrids } from './grids.ts';
import type { ImageRow } from './image-row.ts';
import type { ManifestRow } from './manifest.ts';
import { measuredLayers, type RunDocument } from './run-document.ts';
import { gridKey } from './run-keys.ts';
import { settleAll } from './settle-all.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Largest file that is fetched: beyond any photo, and four of them at a time still fit a small machine's memory. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;

export interface ImageWork {
  readonly document: RunDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly engine: Engine;
  /** Folder below the output URL for the image's grids; undefined for none. */
  readonly gridFolder?: string;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal;
}

export interface ImageOutcome {
  readonly row: ImageRow;
  /** Present when the image is ok. */
  readonly readings?: Readings;
}

/**
 * One row of the manifest, from bytes to readings and stored grids. Whatever is wrong with the image is a `failed`
 * outcome with a code.
 * @throws the stores' and the engine's errors: an outage never becomes a failed image.
 */
export async function processImage(work: ImageWork, entry: ManifestRow, row: number): Promise<ImageOutcome> {
  const { document, dataset, engine, stopwatch, signal } = work;
  const base = {
    ...NOTHING_KNOWN,
    row,
    image: entry.image,
    class: entry.class,
    sizeBytes: entry.sizeBytes,
    etag: entry.etag,
  };
  const failed = (code: string, message: string, known: Partial<ImageRow> = {}): ImageOutcome => {
    return { row: { ...base, ...known, status: 'failed', code, message } };
  };
  if (entry.skip !== null) {
    return {
      row: { ...base, status: 'skipped', code: entry.skip, message: 'its name is not the name of an image' },
    };
  }
  if (entry.sizeBytes > MAX_FILE_BYTES) {
    return failed('too-large', `the file has ${entry.sizeBytes} bytes; at most ${MAX_FILE_BYTES} are read`);
  }
  const fetched = await stopwatch.time('fetch', fetchImage(dataset, entry, signal));
  if ('code' in fetched) return failed(fetched.code, fetched.message);
  const sha256 = createHash('sha256').update(fetched.bytes).digest('hex');

  const prepared = await stopwatch.time('decode', prepareImage(fetched.bytes, document.settings.fit, signal));
  const { width = null, height = null, format = null } = prepared;
  const known = { sha256, width, height, format };
  if (prepared.status === 'failed') return failed(prepared.code, prepared.message, known);

  const request = work.gridFolder === undefined ? {} : { maps: mapsForGrids(document) };
  const [result] = await stopwatch.time('forward', engine.infer([prepared.pixels], request, signal));
  if (!result)
    throw new FilterscopeError('engine-failed', 'the engine gave no result', { class: 'transient' });
  const layers = measuredLayers(document);
  const problem = readingsProblem(layers, result.readings);
  if (problem !== null) return failed('bad-activations', problem, known);

  if (work.gridFolder !== undefined) {
    const folder = work.gridFolder;
    const grids = layerGrids(document, entry.image, result);
    await settleAll(grids.map((grid) => storeGrid(work, folder, row, grid)));
  }
  const blank = blankFiltersByLayer(layers, result.readings);
  const blankFilters = Object.fromEntries(layers.map(({ layer }, i) => [layer, blank[i]]));
  const grids = work.gridFolder ?? null;
  return { row: { ...base, ...known, status: 'ok', blankFilters, grids }, readings: result.readings };
}

const NOTHING_KNOWN = {
  code: null,
  message: null,
  width: null,
  height: null,
  format: null,
  sha256: null,
  blankFilters: null,
  grids: null,
};

async function storeGrid(
  { output, stopwatch, signal }: ImageWork,
  folder: string,
  row: number,
  grid: { layer: string; extension: string; encode: () => Promise<Uint8Array> },
): Promise<void> {
  const bytes = await stopwatch.time('encode', grid.encode());
  await stopwatch.time(
    'put',
    output.put(gridKey(folder, row, grid.layer, grid.extension), bytes, { signal }),
  );
}

/** The bytes that were listed, or why this image, and no other, cannot be had. */
async function fetchImage(
  dataset: ObjectStore,
  { image, etag }: ManifestRow,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array } | { code: string; message: string }> {
  try {
    const fetched = await dataset.get(image, undefined, signal);
    if (fetched.etag === etag) return fetched;
    return {
      code: 'changed',
      message: 'the file has changed since the run was planned; start a new run to include it',
    };
  } catch (error) {
    if (error instanceof FilterscopeError && error.class === 'permanent') return unreadable(error);
    throw error;
  }
}

function unreadable({ code, message }: FilterscopeError): { code: string; message: string } {
  switch (code) {
    case 'object-missing':
      return { code: 'missing', message: 'the file was there when the run was planned and is gone' };
    case 'object-forbidden':
      return { code: 'forbidden', message: 'there is no permission to read the file' };
    default:
      return { code: 'unreadable', message };
  }
}
