import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { objectExists } from '@filterscope/storage/object-exists';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { recogniseImagenet } from '@filterscope/vgg16/recognise-imagenet';
import type { Weights } from '@filterscope/vgg16/weights';
import { findReuse, type ReuseSearch } from './find-reuse.ts';
import type { ManifestRows } from './manifest-rows.ts';
import { storeManifest, type Manifest } from './manifest.ts';
import { encodeJson } from './parse-stored.ts';
import { ROWS_A_LOOK } from './precision.ts';
import { storeReuse, type Reuse } from './reuse-table.ts';
import {
  DEFAULT_ACCESS,
  readRunDocument,
  type GridSelection,
  type RunDocument,
  type RunSettings,
} from './run-document.ts';
import { rowClasses } from './row-classes.ts';
import { runIdOf } from './run-id.ts';
import { runDocumentKey, weightsKey } from './run-keys.ts';

export interface RunPlan {
  readonly run: string;
  readonly manifest: Manifest;
  readonly settings: RunSettings;
  readonly weights: { readonly content: Weights; readonly bytes: Uint8Array; readonly sha256: string };
  readonly images: number;
  /** Names of the images' classes, sorted; null when there are too many to count by. */
  readonly classes: readonly string[] | null;
  /** Images that get grids. */
  readonly gridImages: number;
  /** Images in rows below this one get grids. */
  readonly gridRows: number;
  readonly chunkSize: number;
}

/** Blank images by class are counted for up to this many classes; beyond, they follow from the readings alone. */
export const MAX_CLASSES = 4096;

/** @returns how many images a manifest has. @throws FilterscopeError `no-images` when it has none. */
export function requireImages({ rows }: Manifest): number {
  let images = 0;
  for (const { skip } of rows) if (skip === null) images++;
  if (images > 0) return images;
  const message =
    rows.length === 0 ? 'no file matches' : `none of the ${rows.length} files has the name of an image`;
  throw new FilterscopeError('no-images', `there is nothing to analyse: ${message}`);
}

/**
 * What a run will be, without touching the output.
 * @throws FilterscopeError `no-images` when the manifest has none, `bad-chunk-size`, `until-with-duplicates`.
 */
export function planRun(
  manifest: Manifest,
  settings: RunSettings,
  weights: RunPlan['weights'],
  chunkSize: number = defaultChunkSize(manifest.rows.length, settings),
): RunPlan {
  if (settings.until && ROWS_A_LOOK % chunkSize !== 0) {
    const message = `a run with --until takes chunks of a power of two up to ${ROWS_A_LOOK} images, not ${chunkSize}: it looks at its intervals every ${ROWS_A_LOOK} images`;
    throw new FilterscopeError('bad-chunk-size', message);
  }
  if (settings.until && settings.countDuplicates === 'once') {
    const message =
      '--until looks at every image while it comes in; duplicates that count once are known at the end only: choose one of the two';
    throw new FilterscopeError('until-with-duplicates', message);
  }
  const images = requireImages(manifest);
  const gridImages = selectedImages(settings.grids, images);
  const labelled = manifest.labelling !== null;
  const run = runIdOf({ manifest: manifest.digest, labelled, weights: weights.sha256, settings });
  return {
    run,
    manifest,
    settings,
    weights,
    images,
    classes: classesOf(manifest),
    gridImages,
    gridRows: rowsHolding(manifest.rows, gridImages),
    chunkSize,
  };
}

/** Small enough that a killed worker costs little, large enough that a million images make four thousand objects. */
function defaultChunkSize(rows: number, { until }: RunSettings): number {
  const size = Math.min(Math.max(Math.ceil(rows / 256), 32), 256);
  return until ? 2 ** Math.floor(Math.log2(size)) : size;
}

function selectedImages(grids: GridSelection, images: number): number {
  if (grids === 'all') return images;
  if (grids === 'none') return 0;
  return 'first' in grids ? Math.min(grids.first, images) : Math.ceil((images * grids.percent) / 100);
}

/** The shortest beginning of the manifest that holds `images` images. */
function rowsHolding(rows: ManifestRows, images: number): number {
  if (images === 0) return 0;
  let found = 0;
  let row = 0;
  for (const { skip } of rows) {
    row++;
    if (skip === null && ++found === images) break;
  }
  return row;
}

/** Where a run's images are and its results go. */
export interface RunPlace {
  /** URL. */
  readonly dataset: string;
  readonly output: ObjectStore;
  readonly versions: Readonly<Record<string, string>>;
  readonly access?: RunDocument['access'];
  readonly crops?: RunDocument['crops'];
  /** Whether readings are taken from earlier runs; they are not unless told. */
  readonly reuse?: Pick<ReuseSearch, 'engine' | 'onSources'>;
}

/**
 * Writes a plan to the output: weights, manifest, and last `run.json`, which makes the run known. Whoever else plans the
 * same run, the first `run.json` stands.
 * @returns the run as it stands, and whether it was this call that created it.
 */
export async function createRun(
  plan: RunPlan,
  place: RunPlace,
  signal: AbortSignal,
): Promise<{ document: RunDocument; created: boolean }> {
  const { run, manifest, weights } = plan;
  const { output } = place;
  await storeWeights(output, weights, signal);
  const key = runDocumentKey(run);
  if (await objectExists(output, key, signal)) {
    return { document: await readRunDocument(output, run, signal), created: false };
  }
  const { dataset, access = DEFAULT_ACCESS } = place;
  const reuse = place.reuse
    ? await findReuse(plan, { ...place.reuse, dataset, access, output }, signal)
    : null;
  await storeManifest(output, run, manifest, signal);
  if (reuse) await storeReuse(output, run, reuse, manifest.rows.length, signal);
  const document = newDocument(plan, place, reuse);
  const options = { ifAbsent: true, contentType: 'application/json', signal };
  const created = await output.put(key, encodeJson(document), options);
  await storeWeights(output, weights, signal); // garbage collection may have taken old ones that no run used until now
  return { document: created ? document : await readRunDocument(output, run, signal), created };
}

function newDocument(
  { run, manifest, settings, weights, images, classes, gridRows, chunkSize }: RunPlan,
  { dataset, versions, access = DEFAULT_ACCESS, crops = 'all' }: RunPlace,
  reuse: Reuse | null,
): RunDocument {
  const { sha256, content } = weights;
  const { flavour, synthetic, name } = content;
  const { labelling } = manifest;
  const imagenet = recogniseImagenet(content) === flavour;
  return {
    v: 1,
    run,
    createdAt: new Date().toISOString(),
    dataset,
    access,
    manifest: { digest: manifest.digest, rows: manifest.rows.length, images },
    weights: { sha256, name, flavour, synthetic, imagenet },
    settings,
    labels: labelling && { name: labelling.name, sha256: labelling.sha256 },
    classes: [...(classes ?? [])],
    chunkSize,
    gridRows,
    crops,
    reuse: reuse && reuseOf(reuse),
    versions: { ...versions },
  };
}

function reuseOf({ runs, engines, unchanged, sameName }: Reuse): RunDocument['reuse'] {
  return { runs: runs.map(({ run }) => run), engines: [...engines], unchanged, sameName };
}

async function storeWeights(
  output: ObjectStore,
  { bytes, sha256 }: RunPlan['weights'],
  signal: AbortSignal,
): Promise<void> {
  const key = weightsKey(sha256);
  if (!(await objectExists(output, key, signal))) await output.put(key, bytes, { ifAbsent: true, signal });
}

function classesOf({ rows, labelling }: Manifest): string[] | null {
  const classes = new Set<string>();
  for (const { class: cls, skip } of rows) {
    if (skip === null) for (const name of rowClasses({ labels: labelling }, cls)) classes.add(name);
    if (classes.size > MAX_CLASSES) return null;
  }
  return [...classes].toSorted();
}
