import type { RunDocument } from '@filterscope/runs/run-document';
import { count } from './format.ts';

/** `±1 point`, `±0.5 points` */
function margin(halfWidth: number): string {
  const points = Number((halfWidth * 100).toPrecision(6));
  return `±${points} ${points === 1 ? 'point' : 'points'}`;
}

type Until = NonNullable<RunDocument['settings']['until']>;
const whose = ({ of }: Until) => (of === 'layers' ? "every layer's interval" : 'every interval');

/** How a run came to its end that was to stop early; undefined for any other. @param row where it stopped; null at the end */
export function earlyStop({ settings, manifest }: RunDocument, row: number | null): string | undefined {
  const { until } = settings;
  if (!until) return undefined;
  const rows = count(manifest.rows);
  if (row === null)
    return `all ${rows} images were looked at: ${margin(until.halfWidth)} was not reached before the end`;
  return `stopped early at ${count(row)} of ${rows} images: ${whose(until)} is within ${margin(until.halfWidth)}`;
}

export const capitalised = (sentence: string): string => sentence[0].toUpperCase() + sentence.slice(1);

/** What a run that is to stop early waits for. */
export function stopsWhen(until: Until): string {
  return `stops as soon as ${whose(until)} is within ${margin(until.halfWidth)}`;
}
