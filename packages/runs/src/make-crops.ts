import { objectExists } from '@filterscope/storage/object-exists';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { cropParts, openCropParts, cropRows, putCropPart, type CropPart } from './crop-parts.ts';
import { preparePicture } from './image-picture.ts';
import type { IndexDocument } from './index-document.ts';
import { DEADLY, type ChunkJournal } from './journal.ts';
import type { ManifestRow } from './manifest-rows.ts';
import type { ManifestReader } from './manifest.ts';
import { fetchImage, type Refusal } from './process-image.ts';
import type { RunDocument } from './run-document.ts';
import { pictureKey } from './run-keys.ts';
import type { Workplace } from './workplace.ts';

export interface CropsWork {
  readonly document: RunDocument;
  readonly index: IndexDocument;
  readonly dataset: ObjectStore;
  readonly output: ObjectStore;
  readonly manifest: ManifestReader;
  readonly workplace: Workplace;
  /** Of {@link cropRows}. */
  readonly rows: readonly number[];
  /** As for chunks: where it is kept which images are in hand. */
  readonly journal?: ChunkJournal;
  /** A picture is stored, was stored before, or cannot be had. */
  readonly onPicture?: (missing: boolean) => void;
  readonly signal: AbortSignal;
}

/**
 * The in-process scheduler: makes the pictures of a complete run that are not there yet.
 * @throws the first error of a store; the parts that are done by then stay.
 */
export async function makeAllCrops(
  work: Omit<CropsWork, 'rows'> & { readonly onBegin?: (pictures: number) => void },
): Promise<void> {
  const { document, index, output, onBegin, signal } = work;
  const open = await openCropParts(document, index, output, signal);
  if (open.length === 0) return;
  const rows = await cropRows(document, index, output, signal);
  onBegin?.(open.reduce((sum, part) => sum + rowsOf({ ...work, rows }, part).length, 0));
  for (const part of open) await makeCropPart({ ...work, rows }, part);
}

/**
 * Stores the pictures of one part's images, those that are not there yet, and then says so.
 * @throws the first error that is no image's own fault.
 */
export async function makeCropPart(work: CropsWork, part: number): Promise<CropPart> {
  const { document, index, output, manifest, journal, signal } = work;
  const rows = rowsOf(work, part);
  const entries = new Map<number, ManifestRow>();
  for (const row of rows) entries.set(row, (await manifest.read(row, row + 1, signal))[0]);
  const suspects = (await journal?.suspects()) ?? new Map<number, number>();
  const failure = new AbortController();
  const shared = { ...work, signal: AbortSignal.any([signal, failure.signal]) };
  const missing: CropPart['missing'] = [];
  const picture = async (row: number) => {
    try {
      const refusal = await keepPicture(shared, entries.get(row)!, row, suspects.get(row) ?? 0);
      if (refusal) missing.push({ row, code: refusal.code, message: refusal.message });
      work.onPicture?.(refusal !== undefined);
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  };
  await Promise.allSettled(rows.map(picture));
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
  missing.sort((a, b) => a.row - b.row);
  const gone = new Set(missing.map(({ row }) => row));
  const stored = rows.filter((row) => !gone.has(row));
  const done: CropPart = { v: 1, generation: index.generation, part, rows: stored, missing };
  await putCropPart(output, document.run, done);
  return done;
}

function rowsOf({ document, index, rows }: CropsWork, part: number): number[] {
  const { rowsAPart } = cropParts(document, index);
  const from = part * rowsAPart;
  return rows.filter((row) => row >= from && row < from + rowsAPart);
}

/** @param deaths attempts that ended with this row in hand @returns why there is no picture */
async function keepPicture(
  { document, dataset, output, workplace, journal, signal }: CropsWork,
  entry: ManifestRow,
  row: number,
  deaths: number,
): Promise<Refusal | undefined> {
  // What an earlier index made is as good: a row is one version of an image.
  if (await objectExists(output, pictureKey(document.run, row), signal)) return undefined;
  if (deaths >= DEADLY) {
    return { code: 'poison', message: `${deaths} processes ended with this image in hand` };
  }
  const { result: fetched, release } = await workplace.fetchAhead(entry.sizeBytes, async () => {
    signal.throwIfAborted();
    return fetchImage(dataset, entry, signal);
  });
  const handle = async (): Promise<Refusal | undefined> => {
    release();
    signal.throwIfAborted();
    if ('code' in fetched) return fetched;
    await journal?.takeUp(row);
    try {
      const made = await preparePicture({ document, output, signal }, row, fetched.bytes);
      if (deaths > 0) await journal?.acquit(row);
      return 'code' in made ? made : undefined;
    } finally {
      await journal?.putDown(row);
    }
  };
  return deaths > 0 ? workplace.alone(handle) : workplace.inHand(handle);
}
