import { createHash } from 'node:crypto';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { sumsByLayer } from '@filterscope/statistics/sums-by-layer';
import type { Readings } from '@filterscope/statistics/readings';
import { readingsProblem } from '@filterscope/statistics/readings-problem';
import { isObjectFault } from '@filterscope/storage/object-fault';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import type { EarlierResult } from './earlier-results.ts';
import { layerGrids, mapsForGrids } from './grids.ts';
import type { GreyScales } from './calibrate-scales.ts';
import type { ImageRow } from './image-row.ts';
import type { ManifestRow } from './manifest-rows.ts';
import { measuredLayers, type RunDocument } from './run-document.ts';
import { gridKey } from './run-keys.ts';
import { settleAll } from './settle-all.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Largest file that is fetched: beyond any photo, and four of them at a time still fit a small machine's memory. */
const MAX_FILE_BYTES = 128 * 1024 * 1024;

export interface ImageWork {
  readonly document: RunDocument;
  readonly output: ObjectStore;
  readonly engine: Engine;
  /** For an image that gets grids. */
  readonly drawing?: Drawing;
  /** Holds if its SHA-256 is that of the bytes. */
  readonly earlier?: EarlierResult;
  readonly stopwatch: Stopwatch;
  readonly signal: AbortSignal;
}

/** Where grids go, and how they are scaled. */
export interface Drawing {
  /** Below the output URL. */
  readonly folder: string;
  /** Null where each tile is scaled by itself. */
  readonly scales: GreyScales | null;
}

export interface ImageOutcome {
  readonly row: ImageRow;
  /** Present when the image is ok. */
  readonly readings?: Readings;
  /** Taken from an earlier run. */
  readonly reused?: true;
}

/** What became of a row whose image is not looked at, for the reason given. */
export function unprocessed(
  entry: ManifestRow,
  row: number,
  status: 'failed' | 'skipped',
  { code, message }: Refusal,
): ImageOutcome {
  return { row: { ...baseRow(entry, row), status, code, message } };
}

/** Why an image is not fetched at all; undefined for one that is. */
export function withoutFetching(entry: ManifestRow, row: number): ImageOutcome | undefined {
  if (entry.skip !== null) {
    const message = 'its name is not the name of an image';
    return unprocessed(entry, row, 'skipped', { code: entry.skip, message });
  }
  if (entry.sizeBytes > MAX_FILE_BYTES) {
    const message = `the file has ${entry.sizeBytes} bytes; at most ${MAX_FILE_BYTES} are read`;
    return unprocessed(entry, row, 'failed', { code: 'too-large', message });
  }
  return undefined;
}

/** An image as an earlier run found it; undefined where that is not there any more. */
export async function takenOver(
  document: RunDocument,
  entry: ManifestRow,
  row: number,
  { image, readings: read }: EarlierResult,
): Promise<ImageOutcome | undefined> {
  const readings = await read();
  if (!readings) return undefined;
  const { sha256, width, height, format } = image;
  return {
    ...okOutcome(document, { ...baseRow(entry, row), sha256, width, height, format }, readings),
    reused: true,
  };
}

/**
 * One image, from its bytes to readings and stored grids. Whatever is wrong with it is a `failed` outcome with a code.
 * @throws the store's and the engine's errors: an outage never becomes a failed image.
 */
export async function processImage(
  work: ImageWork,
  entry: ManifestRow,
  row: number,
  bytes: Uint8Array,
): Promise<ImageOutcome> {
  const { document, engine, drawing, earlier, stopwatch, signal } = work;
  const base = baseRow(entry, row);
  const failed = (code: string, message: string, known: Partial<ImageRow>): ImageOutcome => {
    return { row: { ...base, ...known, status: 'failed', code, message } };
  };
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const taken = earlier?.image.sha256 === sha256 && (await takenOver(document, entry, row, earlier));
  if (taken) return taken;
  const prepared = await stopwatch.time('decode', prepareImage(bytes, document.settings.fit, signal));
  const { width = null, height = null, format = null } = prepared;
  const known = { sha256, width, height, format };
  if (prepared.status === 'failed') return failed(prepared.code, prepared.message, known);

  const request = drawing ? { maps: mapsForGrids(document, drawing.scales) } : {};
  const [result] = await stopwatch.time('forward', engine.infer([prepared.pixels], request, signal));
  if (!result)
    throw new FilterscopeError('engine-failed', 'the engine gave no result', { class: 'transient' });
  const layers = measuredLayers(document);
  const problem = readingsProblem(layers, result.readings);
  if (problem !== null) return failed('bad-activations', problem, known);

  if (drawing) {
    const grids = layerGrids(document, drawing.scales, entry.image, result);
    await settleAll(grids.map((grid) => storeGrid(work, drawing.folder, row, grid)));
  }
  const grids = drawing?.folder ?? null;
  return okOutcome(document, { ...base, ...known, grids }, result.readings);
}

function okOutcome(document: RunDocument, row: Omit<ImageRow, 'status'>, readings: Readings): ImageOutcome {
  return { row: { ...row, status: 'ok', ...sumsByLayer(measuredLayers(document), readings) }, readings };
}

function baseRow({ image, class: cls, sizeBytes, etag }: ManifestRow, row: number) {
  const unknown = { code: null, message: null, width: null, height: null, format: null, sha256: null };
  const unmeasured = { blankFilters: null, zeros: null, duplicateOf: null, grids: null };
  return { ...unknown, row, image, class: cls, sizeBytes, etag, ...unmeasured };
}

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

/** Why an image cannot be used. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** The bytes that were listed, or why this image, and no other, cannot be had. @throws the store's other errors. */
export async function fetchImage(
  dataset: ObjectStore,
  { image, etag }: ManifestRow,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array } | Refusal> {
  try {
    const fetched = await dataset.get(image, undefined, signal);
    if (fetched.etag === etag) return fetched;
    return {
      code: 'changed',
      message: 'the file has changed since the run was planned; start a new run to include it',
    };
  } catch (error) {
    if (!isObjectFault(error)) throw error;
    if (error.code === 'object-missing') await requireAnything(dataset, signal);
    return unreadable(error);
  }
}

/**
 * An image is missing from a dataset that is there; one without any file at all is away, as a disk that is not mounted.
 * @throws FilterscopeError `dataset-away`.
 */
async function requireAnything(dataset: ObjectStore, signal: AbortSignal): Promise<void> {
  for await (const _ of dataset.list('', signal)) return;
  const message = `there is no file any more below ${dataset.url}; is the disk mounted? Where it was deleted, cancel the run`;
  throw new FilterscopeError('dataset-away', message, { class: 'transient' });
}

function unreadable({ code, message }: FilterscopeError): Refusal {
  switch (code) {
    case 'object-missing':
      return { code: 'missing', message: 'the file was there when the run was planned and is gone' };
    case 'object-forbidden':
      return { code: 'forbidden', message: 'there is no permission to read the file' };
    default:
      return { code: 'unreadable', message };
  }
}
