import { z } from 'zod';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { objectExists } from '@filterscope/storage/object-exists';
import { decodeAccumulator } from './accumulator-file.ts';
import { listedRows } from '@filterscope/statistics/top-images';
import type { RunPlan } from './plan-run.ts';
import { filterCount } from '@filterscope/statistics/readings';
import type { IndexDocument } from './index-document.ts';
import { encodeJson, parseStored } from './parse-stored.ts';
import { measuredLayers, type RunDocument } from './run-document.ts';
import { cropPartKey, cropPartsFolder } from './run-keys.ts';

/** Pictures that a part has on average, as rows are in random order: some seconds of work. */
const IMAGES_A_PART = 64;

/** How the pictures that crops are cut out of are divided into units of work: ranges of manifest rows. */
export interface CropParts {
  readonly count: number;
  readonly rowsAPart: number;
}

/** About how many images will be in top lists: as many as when each place of each list went to any image. At most, as lists have images in common. */
export function expectedCropImages({ images, settings }: Pick<RunPlan, 'images' | 'settings'>): number {
  const places = filterCount(measuredLayers({ settings })) * settings.topK;
  return Math.round(images * -Math.expm1(-places / images));
}

export const expectedCropParts = (cropImages: number) => Math.ceil(cropImages / IMAGES_A_PART);

/** The parts of a complete run; none where no image is in a top list. */
export function cropParts({ manifest }: RunDocument, { cropImages, stoppedAt }: IndexDocument): CropParts {
  const rows = stoppedAt ?? manifest.rows;
  if (cropImages === 0) return { count: 0, rowsAPart: rows };
  const rowsAPart = Math.ceil(rows / expectedCropParts(cropImages));
  return { count: Math.ceil(rows / rowsAPart), rowsAPart };
}

const cropPart = z.object({
  v: z.literal(1),
  /** Of the index whose top lists this is about. */
  generation: z.string(),
  part: z.int().nonnegative(),
  /** Manifest rows whose pictures are stored, rising. */
  rows: z.array(z.int().nonnegative()),
  /** Those that could not be had any more, and why. */
  missing: z.array(z.object({ row: z.int().nonnegative(), code: z.string(), message: z.string() })),
});
/** The small object that says a part is done. */
export type CropPart = Readonly<z.infer<typeof cropPart>>;

/** @returns false when somebody else was first. */
export async function putCropPart(output: ObjectStore, run: string, part: CropPart): Promise<boolean> {
  const key = cropPartKey(run, part.generation, part.part);
  return output.put(key, encodeJson(part), { ifAbsent: true, contentType: 'application/json' });
}

/** @returns undefined for a part that is not done. */
export async function readCropPart(
  output: ObjectStore,
  run: string,
  generation: string,
  part: number,
  signal?: AbortSignal,
): Promise<CropPart | undefined> {
  const key = cropPartKey(run, generation, part);
  if (!(await objectExists(output, key, signal))) return undefined;
  const { bytes } = await output.get(key, undefined, signal);
  return parseStored(cropPart, bytes, `${output.url}/${key}`);
}

/** The parts that are not done, rising. */
export async function openCropParts(
  document: RunDocument,
  index: IndexDocument,
  output: ObjectStore,
  signal?: AbortSignal,
): Promise<number[]> {
  const { count } = cropParts(document, index);
  if (count === 0) return [];
  const done = new Set<string>();
  for await (const { key } of output.list(cropPartsFolder(index.run, index.generation), signal))
    done.add(key);
  return Array.from({ length: count }, (_, part) => part).filter(
    (part) => !done.has(cropPartKey(index.run, index.generation, part)),
  );
}

/** The manifest rows of the images in any filter's top list, rising. */
export async function cropRows(
  document: RunDocument,
  index: IndexDocument,
  output: ObjectStore,
  signal?: AbortSignal,
): Promise<number[]> {
  const { bytes } = await output.get(index.merged, undefined, signal);
  return listedRows((await decodeAccumulator(measuredLayers(document), bytes)).top);
}
