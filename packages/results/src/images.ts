import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { imageRow, type ImageRow } from '@filterscope/runs/image-row';
import { decodeParquet } from '@filterscope/runs/parquet';
import type { Results } from './open-results.ts';

/** What became of every image, in manifest order, a file of the table at a time. */
export async function* imageRows({ tables, index }: Results, signal?: AbortSignal): AsyncGenerator<ImageRow> {
  for (const key of index.tables.images) {
    const { bytes } = await tables.get(key, undefined, signal);
    yield* z.array(imageRow).parse(decodeParquet(bytes));
  }
}

/** @throws FilterscopeError `unknown-image`. */
export async function findImage(results: Results, key: string, signal?: AbortSignal): Promise<ImageRow> {
  for await (const row of imageRows(results, signal)) if (row.image === key) return row;
  const sofar = results.complete ? '' : ' so far';
  const message = `the run has no image "${key}"${sofar}; "filterscope images" lists their keys`;
  throw new FilterscopeError('unknown-image', message);
}
