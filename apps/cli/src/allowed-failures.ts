import type { RunDocument } from '@filterscope/runs/run-document';
import type { FailureLimit } from './parse-options.ts';

/** How many images of a run may fail; null for any number. */
export function allowedFailures(limit: FailureLimit | undefined, { manifest }: RunDocument): number | null {
  if (!limit) return null;
  return 'images' in limit ? limit.images : Math.floor((manifest.images * limit.percent) / 100);
}
