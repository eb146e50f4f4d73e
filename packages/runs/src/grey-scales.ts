import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { calibrateScales, type GreyScales } from './calibrate-scales.ts';
import type { ChunkWork } from './carry-out-chunk.ts';
import { encodeJson, parseStored } from './parse-stored.ts';
import type { RunDocument } from './run-document.ts';
import { scalesKey } from './run-keys.ts';

const stored = z.object({
  v: z.literal(1),
  scales: z.record(z.string(), z.array(z.number().positive())),
});

/**
 * The grey scales of a run's grids. Whoever draws the run's first grids measures them; all others use those.
 * @returns null where tiles are scaled by themselves.
 */
export async function requireScales(work: ChunkWork): Promise<GreyScales | null> {
  const { document, output, signal } = work;
  if (!isScaled(document)) return null;
  const known = await readScales(document, output, signal);
  if (known) return known;
  const scales = await calibrateScales(work);
  const bytes = encodeJson({ v: 1, scales });
  const first = await output.put(scalesKey(document.run), bytes, {
    ifAbsent: true,
    contentType: 'application/json',
    signal,
  });
  return first ? scales : readScales(document, output, signal);
}

/** @returns null where tiles are scaled by themselves, or nothing was drawn yet. */
export async function readScales(
  document: RunDocument,
  output: ObjectStore,
  signal?: AbortSignal,
): Promise<GreyScales | null> {
  if (!isScaled(document)) return null;
  const key = scalesKey(document.run);
  try {
    const { bytes } = await output.get(key, undefined, signal);
    return parseStored(stored, bytes, `${output.url}/${key}`).scales;
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'object-missing') return null;
    throw error;
  }
}

function isScaled({ settings: { gridStyle } }: RunDocument): boolean {
  return gridStyle === 'filter' || gridStyle === 'layer';
}
