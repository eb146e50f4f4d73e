import { ROWS_PER_PART } from './manifest.ts';
import type { RunPlan } from './plan-run.ts';

/** Keys in one answer of S3's listing. */
const KEYS_A_PAGE = 1000;
/** Before a chunk is begun: `run.json` twice, whether it was cancelled, whether it is committed; after it, its three tables and its commit. */
const GETS_A_CHUNK = 4 + 3;
/** Scales are measured on so many images, which are read twice. */
const READ_TWICE = 16;

/** About how many requests a run makes to S3, retries and questions aside. Copies count as PUT, as they are billed. */
export function expectedRequests(plan: RunPlan): { get: number; put: number; list: number } {
  const { manifest, images, gridImages, chunkSize, settings } = plan;
  const rows = manifest.rows.length;
  const chunks = Math.ceil(rows / chunkSize);
  const parts = Math.ceil(rows / ROWS_PER_PART);
  const kept = settings.readings === 'full';
  const putsAChunk = 3 + (kept ? 2 : 0); // images, accumulators, commit; readings, and their copy into the index
  return {
    get: images + Math.min(READ_TWICE, gridImages) + chunks * GETS_A_CHUNK,
    put: gridImages * settings.layers.length + chunks * putsAChunk + 2 * parts + 6,
    list: Math.ceil(rows / KEYS_A_PAGE) + Math.ceil(chunks / KEYS_A_PAGE) + 5,
  };
}
