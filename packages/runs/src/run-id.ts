import { createHash } from 'node:crypto';
import type { RunSettings } from './run-document.ts';

/**
 * A run's id, 64 hexadecimal digits: the same images under the same weights and settings are the same run, whoever
 * starts it, however the work is cut and wherever it is done.
 */
export function runIdOf(parts: { manifest: string; weights: string; settings: RunSettings }): string {
  const { layers, fit, kernel, grids, gridStyle, gridFormat, readings, topK } = parts.settings;
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
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('hex');
}
