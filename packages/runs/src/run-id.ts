import { createHash } from 'node:crypto';
import type { RunSettings } from './run-document.ts';

/**
 * A run's id, 64 hexadecimal digits: the same images under the same weights and settings are the same run, whoever
 * starts it, however the work is cut and wherever it is done. The manifest's digest holds the classes that labels give, so
 * that of labels it matters what they say, not how their file is written.
 * @param parts.labelled whether classes come from labels, which means that `|` in them stands between two
 */
export function runIdOf(parts: {
  manifest: string;
  labelled: boolean;
  weights: string;
  settings: RunSettings;
}): string {
  const { layers, fit, kernel, grids, gridStyle, gridFormat, readings, topK, countDuplicates, until } =
    parts.settings;
  const content = [
    1,
    parts.manifest,
    parts.weights,
    layers,
    fit,
    kernel,
    grids,
    gridStyle,
    gridFormat,
    readings,
    topK,
    ...(parts.labelled ? ['labelled'] : []),
    countDuplicates,
    ...(until ? ['until', until.halfWidth, until.of] : []),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
