import { expectedCropImages } from '@filterscope/runs/crop-parts';
import type { RunPlan } from '@filterscope/runs/plan-run';
import type { RunDocument } from '@filterscope/runs/run-document';
import { LAYERS } from '@filterscope/vgg16/layers';

/** Bytes a position in a grid, measured on natural photos: JPEG of quality 85, PNG of level 1, grey; viridis takes more. */
const GRID_BYTES = {
  jpeg: { grey: 0.25, viridis: 0.62 },
  png: { grey: 0.58, viridis: 1.5 },
} as const;
/** Bytes a filter's reading after compression, and what a commit and its tables take an image. */
const READING_BYTES = 9;
const OTHER_BYTES = 4_000;
/** A photo as the network saw it, without loss. */
const PICTURE_BYTES = 59_000;

export interface ExpectedBytes {
  readonly grids: number;
  readonly readings: number;
  readonly weights: number;
  /** Pictures for crops. */
  readonly crops: number;
}

/** About how much a run will write. */
export function expectedBytes(
  { settings, gridImages, images, weights }: RunPlan,
  crops: RunDocument['crops'],
): ExpectedBytes {
  const layers = LAYERS.filter(({ layer }) => settings.layers.includes(layer));
  const positions = layers.reduce((sum, { filters, positions }) => sum + filters * positions, 0);
  const filters = layers.reduce((sum, { filters }) => sum + filters, 0);
  const colours = settings.gridStyle === 'chollet' ? 'viridis' : 'grey';
  const perPosition = settings.gridFormat === null ? 0 : GRID_BYTES[settings.gridFormat][colours];
  const kept = settings.readings === 'full' ? filters * READING_BYTES : 0;
  return {
    grids: gridImages * positions * perPosition,
    readings: images * (kept + OTHER_BYTES),
    weights: weights.bytes.length,
    crops: crops === 'all' ? expectedCropImages({ images, settings }) * PICTURE_BYTES : 0,
  };
}
