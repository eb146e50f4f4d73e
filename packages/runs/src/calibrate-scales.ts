import { prepareImage } from '@filterscope/imaging/prepare-image';
import { filterCount } from '@filterscope/statistics/readings';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Engine } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ManifestRow } from './manifest.ts';
import type { RunSettings } from './run-document.ts';

/** Images that the references of a grid's grey levels are measured on. */
const CALIBRATION_IMAGES = 16;
/** Rows that are tried at most to find that many. */
const CALIBRATION_ROWS = 64;

/**
 * What a full grey level stands for, by layer and filter: the largest activation on the first images of the manifest that
 * can be decoded. A filter silent on all of them gets the median of its layer's others; with no image at all, 1.
 * @returns null for styles that scale each tile by itself.
 */
export async function calibrateScales(
  { fit, gridStyle }: RunSettings,
  layers: readonly ConvolutionLayer[],
  manifest: readonly ManifestRow[],
  dataset: ObjectStore,
  engine: Engine,
  signal: AbortSignal,
): Promise<Record<string, number[]> | null> {
  if (gridStyle !== 'filter' && gridStyle !== 'layer') return null;
  const largest = new Float32Array(filterCount(layers));
  const rows = manifest.filter(({ skip }) => skip === null).slice(0, CALIBRATION_ROWS);
  let measured = 0;
  for (let i = 0; i < rows.length && measured < CALIBRATION_IMAGES; i += engine.parallel) {
    const batch = rows
      .slice(i, i + engine.parallel)
      .map((row) => maximaOf(row, fit, dataset, engine, signal));
    for (const maxima of await Promise.all(batch)) {
      if (!maxima || measured === CALIBRATION_IMAGES) continue;
      measured += 1;
      for (let filter = 0; filter < largest.length; filter++) {
        if (maxima[filter]! > largest[filter]!) largest[filter] = maxima[filter]!;
      }
    }
  }
  let offset = 0;
  const scales = layers.map(({ layer, filters }): [string, number[]] => {
    const own = [...largest.subarray(offset, (offset += filters))];
    return [layer, gridStyle === 'layer' ? own.fill(Math.max(...own) || 1) : fillSilent(own)];
  });
  return Object.fromEntries(scales);
}

function fillSilent(references: number[]): number[] {
  const firing = references.filter((reference) => reference > 0).toSorted((a, b) => a - b);
  const median = firing[firing.length >> 1] ?? 1;
  return references.map((reference) => reference || median);
}

async function maximaOf(
  { image }: ManifestRow,
  fit: RunSettings['fit'],
  dataset: ObjectStore,
  engine: Engine,
  signal: AbortSignal,
): Promise<Float32Array | undefined> {
  try {
    const { bytes } = await dataset.get(image, undefined, signal);
    const prepared = await prepareImage(bytes, fit, signal);
    if (prepared.status === 'failed') return undefined;
    const [result] = await engine.infer([prepared.pixels], {}, signal);
    return result?.readings.max.every(Number.isFinite) ? result.readings.max : undefined;
  } catch (error) {
    // The run itself will meet this image again and say what is wrong with it.
    if (error instanceof FilterscopeError && error.class === 'permanent') return undefined;
    throw error;
  }
}
