import { ROWS_PER_PART } from './manifest.ts';
import { expectedCropImages, expectedCropParts } from './crop-parts.ts';
import type { RunPlan } from './plan-run.ts';
import type { Reuse } from './reuse-table.ts';
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
 * @param reuse what earlier runs have of the images
 */
export function expectedRequests(
  plan: RunPlan,
  { crops, reuse }: { crops: RunDocument['crops']; reuse: Reuse | null },
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
  const looked = gridRows < rows ? 1 : 0; // for earlier runs
  const reading = reuse ? requestsOfReuse(plan, reuse) : { get: 0, put: 0, list: looked };
  return {
    get:
      reading.get +
      images +
      measured +
      scaledChunks +
      chunks * GETS_A_CHUNK +
      cropImages * GETS_A_CROP_IMAGE +
      cropParts * GETS_A_CROP_PART +
      GETS_A_RUN,
    put:
      reading.put +
      gridImages * settings.layers.length +
      chunks * putsAChunk +
      2 * parts +
      PUTS_A_RUN +
      (scaled ? 1 : 0) +
      cropImages +
      cropParts,
    // The dataset, four times the commits (three by `analyze`, five by `submit` and a worker), the tables, of which the readings have a file a chunk, twice the parts of crops.
    list: reading.list + pages(rows) + 5 * pages(chunks) + 4 + 2 * pages(cropParts),
  };
}

/** What it takes to look for images in earlier runs and to read what they have, less the images that need not be read. */
function requestsOfReuse({ manifest, chunkSize }: RunPlan, { runs, unchanged, entries }: Reuse) {
  const rows = manifest.rows.length;
  const sizes = new Map(runs.map((document) => [document.run, document.chunkSize]));
  const tables = runs.map(({ manifest }) => Math.ceil(manifest.rows / ROWS_PER_PART));
  let get = tables.reduce((sum, files) => sum + files, 2 * runs.length);
  let list = 1;
  for (let from = 0; from < rows; from += chunkSize) {
    const found = entries(from, from + chunkSize);
    const chunks = new Set(found.map(({ run, runRow }) => `${run}/${Math.floor(runRow / sizes.get(run)!)}`));
    get += 1 + new Set(found.map(({ run }) => run)).size + 3 * chunks.size; // of a chunk its commit, images, readings
    list += chunks.size;
  }
  return { get: get - unchanged, put: Math.ceil(rows / ROWS_PER_PART), list };
}
