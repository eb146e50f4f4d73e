import { encodeCrop, enlargementOf, type CropFile } from '@filterscope/imaging/crop-file';
import type { Rectangle } from '@filterscope/imaging/rectangle';
import { cropParts, readCropPart } from '@filterscope/runs/crop-parts';
import { preparePicture, readPicture } from '@filterscope/runs/image-picture';
import { openManifest } from '@filterscope/runs/manifest';
import { fetchImage, type Refusal } from '@filterscope/runs/process-image';
import { measuredLayers } from '@filterscope/runs/run-document';
import { pictureKey } from '@filterscope/runs/run-keys';
import { settleAll } from '@filterscope/runs/settle-all';
import type { TopImage } from '@filterscope/statistics/top-images';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { objectExists } from '@filterscope/storage/object-exists';
import { fieldInPicture, receptiveFieldShape } from '@filterscope/vgg16/receptive-field';
import type { Results } from './open-results.ts';
import { filterInFull } from './summaries.ts';

/** One of the images on which a filter is strongest, and where in it. */
export interface PlacedImage extends TopImage {
  /** Key below the dataset's URL. */
  readonly image: string;
  readonly class: string | null;
  /** Column and row of the maximum in the filter's map. */
  readonly x: number;
  readonly y: number;
  /** The receptive field of that position, as far as it lies in the picture, in pixels of the 224×224 that the network sees. */
  readonly field: Rectangle;
}

export interface PicturedImage extends PlacedImage {
  /** Key below the output of the image as the network saw it, which `field` is a part of; null where it is not stored. */
  readonly picture: string | null;
  /** Why it is not; null where it is. */
  readonly missing: Refusal | null;
}

export interface TopCrop extends PlacedImage {
  /** What lies in the field; null when the image cannot be had. */
  readonly crop: CropFile | null;
  /** Why there is no crop; null when there is one. */
  readonly missing: Refusal | null;
}

/** The images of a filter's top list, by name and place, with their pictures. */
export async function pictureImages(
  results: Results,
  layerName: string,
  images: readonly TopImage[],
  signal?: AbortSignal,
): Promise<PicturedImage[]> {
  const { document, output } = results;
  const placed = await placeImages(results, layerName, images, signal);
  return settleAll(
    placed.map(async (image) => {
      const key = pictureKey(document.run, image.row);
      if (await objectExists(output, key, signal)) return { ...image, picture: key, missing: null };
      return { ...image, picture: null, missing: await whyMissing(results, image.row, signal) };
    }),
  );
}

async function placeImages(
  { document, output }: Results,
  layerName: string,
  images: readonly TopImage[],
  signal?: AbortSignal,
): Promise<PlacedImage[]> {
  const layer = measuredLayers(document).find(({ layer }) => layer === layerName)!;
  const manifest = openManifest(output, document.run);
  const placed: PlacedImage[] = [];
  for (const { row, max, position } of images) {
    const [{ image, class: cls }] = await manifest.read(row, row + 1, signal);
    const [x, y] = [position % layer.size, Math.floor(position / layer.size)];
    placed.push({ row, image, class: cls, max, position, x, y, field: fieldInPicture(layer, position) });
  }
  return placed;
}

/**
 * The images on which a filter is strongest, strongest first, each with the crop that its maximum comes from. Crops of small fields are enlarged.
 * @param options.most how many at most; all of the filter's top images unless told
 * @param options.dataset opened where a picture is not stored, to make it now; without, such a crop is missing
 * @throws FilterscopeError `unknown-layer`, `unknown-filter`.
 */
export async function topCrops(
  results: Results,
  layer: string,
  filter: number,
  options: {
    readonly most?: number;
    readonly dataset?: () => Promise<ObjectStore>;
    readonly signal: AbortSignal;
  },
): Promise<TopCrop[]> {
  const { most, signal } = options;
  const { topImages } = await filterInFull(results, layer, filter, signal);
  const placed = await placeImages(results, layer, topImages.slice(0, most), signal);
  const shape = measuredLayers(results.document).find((shape) => shape.layer === layer)!;
  const enlarged = enlargementOf(receptiveFieldShape(shape).size);
  return settleAll(
    placed.map(async (image) => {
      const picture = await pictureOf(results, image.row, options);
      if ('code' in picture) return { ...image, crop: null, missing: picture };
      return { ...image, crop: await encodeCrop(picture.pixels, image.field, enlarged), missing: null };
    }),
  );
}

/** Why an image has no picture, as far as the store knows. */
async function whyMissing(
  { document, index, complete, output }: Results,
  row: number,
  signal?: AbortSignal,
): Promise<Refusal> {
  if (complete) {
    const part = Math.floor(row / cropParts(document, index).rowsAPart);
    const done = await readCropPart(output, document.run, index.generation, part, signal);
    const known = done?.missing.find((missing) => missing.row === row);
    if (known) return { code: known.code, message: known.message };
  }
  return { code: 'not-made', message: 'its picture is not made yet' };
}

async function pictureOf(
  results: Results,
  row: number,
  { dataset, signal }: { dataset?: () => Promise<ObjectStore>; signal: AbortSignal },
): Promise<{ pixels: Uint8Array } | Refusal> {
  const { document, output } = results;
  const pixels = await readPicture(output, document.run, row, signal);
  if (pixels) return { pixels };
  if (!dataset) return whyMissing(results, row, signal);
  const [entry] = await openManifest(output, document.run).read(row, row + 1, signal);
  const fetched = await fetchImage(await dataset(), entry, signal);
  return 'code' in fetched ? fetched : preparePicture({ document, output, signal }, row, fetched.bytes);
}
