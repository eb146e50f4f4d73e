import { ROWS_PER_PART } from './manifest.ts';
import { expectedCropImages, expectedCropParts } from './crop-parts.ts';
import type { RunPlan } from './plan-run.ts';
import type { RunDocument } from './run-document.ts';

/** Keys in one answer of S3's listing. */
const KEYS_A_PAGE = 1000;
/**
 * Before a chunk is begun: `run.json` twice, whether it was cancelled or given up, whether it is committed; for the tables: its
 * commit, its images, its accumulators.
 */
const GETS_A_CHUNK = 5 + 3;
/** Images that grey scales are measured on, which are read twice. */
const MEASURED = 16;
/** Whether the run is there, cancelled or complete, before and after; its weights and its manifest. */
const GETS_A_RUN = 12;
/** Weights, `run.json`; three tables, the sums, `complete.json`. */
const PUTS_A_RUN = 2 + 5;

/** Whether a picture is there, and its image. */
const GETS_A_CROP_IMAGE = 2;
/** `run.json`, `complete.json`, whether the part is done. */
const GETS_A_CROP_PART = 3;

const pages = (keys: number) => Math.ceil(keys / KEYS_A_PAGE);

/**
 * About how many requests a run with one worker makes to S3, retries and questions aside. Copies count as PUT, as they are
 * billed; deletions are free.
 */
export function expectedRequests(
  plan: RunPlan,
  crops: RunDocument['crops'],
): { get: number; put: number; list: number } {
  const { manifest, images, gridImages, gridRows, chunkSize, settings } = plan;
  const rows = manifest.rows.length;
  const chunks = Math.ceil(rows / chunkSize);
  const parts = Math.ceil(rows / ROWS_PER_PART);
  const kept = settings.readings === 'full';
  const putsAChunk = 3 + (kept ? 2 : 0); // images, accumulators, commit; readings, and their copy into the index
  const scaled = settings.gridStyle === 'filter' || settings.gridStyle === 'layer';
  const scaledChunks = scaled ? Math.ceil(gridRows / chunkSize) : 0; // each asks for the scales
  const measured = scaled ? Math.min(MEASURED, images) : 0;
  const cropImages = crops === 'all' ? expectedCropImages(plan) : 0;
  const cropParts = expectedCropParts(cropImages);
  return {
    get:
      images +
      measured +
      scaledChunks +
      chunks * GETS_A_CHUNK +
      cropImages * GETS_A_CROP_IMAGE +
      cropParts * GETS_A_CROP_PART +
      GETS_A_RUN,
    put:
      gridImages * settings.layers.length +
      chunks * putsAChunk +
      2 * parts +
      PUTS_A_RUN +
      (scaled ? 1 : 0) +
      cropImages +
      cropParts,
    // The dataset, three times the commits, the tables, of which the readings have a file a chunk, twice the parts of crops.
    list: pages(rows) + 4 * pages(chunks) + 4 + 2 * pages(cropParts),
  };
}
