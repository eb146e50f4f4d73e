import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { ONE_LOOK, REPEATED_LOOKS, type Reach } from '@filterscope/statistics/reach';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { StoreAccess } from '@filterscope/storage/store-access';
import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { parseStored } from './parse-stored.ts';
import { runDocumentKey } from './run-keys.ts';

export const FITS = ['crop', 'stretch'] as const;
export const GRID_STYLES = ['filter', 'layer', 'tile', 'chollet'] as const;
export const GRID_FORMATS = ['jpeg', 'png'] as const;
export const PRECISION_OF = ['all', 'layers'] as const;
export const READINGS_KEPT = ['full', 'none'] as const;
export const DUPLICATES_COUNTED = ['once', 'each'] as const;
export const CROPS = ['all', 'none'] as const;

export const DEFAULT_TOP_K = 16;
export const MAX_TOP_K = 64;

/** How pictures are resized: a triangle filter as wide as the reduction, PIL's and torchvision's antialiased `bilinear`. */
export const RESIZE_KERNEL = 'bilinear-antialiased';

/** Which images get grids: all, none, the first N, or the first P % of the manifest's images. */
const gridSelection = z.union([
  z.literal(['all', 'none']),
  z.strictObject({ first: z.int().positive() }),
  z.strictObject({ percent: z.number().positive().max(100) }),
]);
export type GridSelection = z.infer<typeof gridSelection>;

const layerName = z
  .string()
  .refine((name) => LAYERS.some(({ layer }) => layer === name), 'no layer of VGG16');

const settings = z.object({
  layers: z.array(layerName).min(1),
  fit: z.enum(FITS),
  /** How pictures are resized; part of the result. */
  kernel: z.string(),
  grids: gridSelection,
  /** Null without grids, so that two runs that differ in nothing visible are one. */
  gridStyle: z.enum(GRID_STYLES).nullable(),
  gridFormat: z.enum(GRID_FORMATS).nullable(),
  readings: z.enum(READINGS_KEPT),
  /** Length of the filters' top lists. */
  topK: z.int().min(0).max(MAX_TOP_K).default(DEFAULT_TOP_K),
  /** `once`: of images with the same bytes only the first of the manifest that is ok is in any statistic. */
  countDuplicates: z.enum(DUPLICATES_COUNTED).default('each'),
  /**
   * Stops the run early, as soon as half the width of every interval of its layers, or of all filters too, is at most `halfWidth`. Null
   * for a run over all images, whose intervals are then those of a single look.
   */
  until: z
    .object({ halfWidth: z.number().positive().max(0.5), of: z.enum(PRECISION_OF) })
    .nullable()
    .default(null),
});
/** What a run does to its images; part of the run's id. */
export type RunSettings = Readonly<z.infer<typeof settings>>;

/** How the run's stores are reached, as far as it is no secret: whoever carries out a chunk opens them in the same way. */
const access = z.object({
  datasetEndpoint: z.string().nullable(),
  datasetProfile: z.string().nullable(),
  requesterPays: z.boolean(),
  /** Key of AWS KMS that the output's objects are encrypted with. */
  kmsKeyId: z.string().nullable(),
});
export const DEFAULT_ACCESS: z.infer<typeof access> = {
  datasetEndpoint: null,
  datasetProfile: null,
  requesterPays: false,
  kmsKeyId: null,
};

/** How a run's dataset is opened. */
export function datasetAccess({
  datasetEndpoint,
  datasetProfile,
  requesterPays,
}: RunDocument['access']): StoreAccess {
  return {
    requesterPays,
    ...(datasetEndpoint !== null && { endpoint: datasetEndpoint }),
    ...(datasetProfile !== null && { profile: datasetProfile }),
  };
}

const runDocument = z.object({
  v: z.literal(1),
  run: z.string().regex(/^[0-9a-f]{64}$/),
  createdAt: z.iso.datetime(),
  dataset: z.string(),
  access: access.default(DEFAULT_ACCESS),
  manifest: z.object({ digest: z.string(), rows: z.int().positive(), images: z.int().positive() }),
  weights: z.object({
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    name: z.string(),
    flavour: z.enum(['keras', 'torchvision']),
    synthetic: z.boolean(),
    /** Whether these are the published ImageNet weights, whose zero shares are known. */
    imagenet: z.boolean(),
  }),
  settings,
  /** Where the classes come from, if not from the first folders: a labels file and its SHA-256. */
  labels: z.object({ name: z.string(), sha256: z.string() }).nullable().default(null),
  /** Names of the images' classes, sorted; an image's class number counts into it. Empty beyond 4,096 of them. */
  classes: z.array(z.string()),
  chunkSize: z.int().positive(),
  /** Images in rows below this one get grids. */
  gridRows: z.int().nonnegative(),
  /** Whether workers keep pictures for crops after completion: no part of the results. */
  crops: z.enum(CROPS).default('all'),
  /** What earlier runs have of the images, in `reuse/`; null for nothing. */
  reuse: z
    .object({
      runs: z.array(z.string()),
      engines: z.array(z.string()),
      unchanged: z.int(),
      sameName: z.int(),
    })
    .nullable()
    .default(null),
  versions: z.record(z.string(), z.string()),
});
/** `run.json`: everything that a worker needs to know of a run beside its images. Written once, never changed. */
export type RunDocument = Readonly<z.infer<typeof runDocument>>;

export const chunkCount = ({ manifest, chunkSize }: RunDocument): number =>
  Math.ceil(manifest.rows / chunkSize);

/** Rows `from … to` (without `to`) of a chunk. */
export function chunkRows(document: RunDocument, chunk: number): { from: number; to: number } {
  const from = chunk * document.chunkSize;
  return { from, to: Math.min(from + document.chunkSize, document.manifest.rows) };
}

/** How far a run's intervals reach out: further where it was looked at again and again. */
export function reachOf({ settings }: RunDocument): Reach {
  return settings.until ? REPEATED_LOOKS : ONE_LOOK;
}

/** The layers that a run measures, in network order. */
export function measuredLayers({ settings }: Pick<RunDocument, 'settings'>): readonly ConvolutionLayer[] {
  const names = new Set(settings.layers);
  return LAYERS.filter(({ layer }) => names.has(layer));
}

/** @throws FilterscopeError `unknown-run`, `broken-object`. */
export async function readRunDocument(
  output: ObjectStore,
  run: string,
  signal?: AbortSignal,
): Promise<RunDocument> {
  const key = runDocumentKey(run);
  const object = await output.get(key, undefined, signal).catch((error: unknown) => {
    if (error instanceof FilterscopeError && error.code === 'object-missing') {
      throw new FilterscopeError('unknown-run', `there is no run ${run} in ${output.url}`);
    }
    throw error;
  });
  return parseStored(runDocument, object.bytes, `${output.url}/${key}`);
}
