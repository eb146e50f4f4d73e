import { z } from 'zod';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Pass } from './carry-out-chunk.ts';
import { getObject, readChunkCommits, type Commit } from './commit.ts';
import { imageRow, type ImageRow } from './image-row.ts';
import { decodeParquet } from './parquet.ts';

/** The last word of a chunk's commits on each of its rows, in order of rows. */
export async function lastRows(
  output: ObjectStore,
  commits: readonly Commit[],
  signal?: AbortSignal,
): Promise<ImageRow[]> {
  const rows = new Map<number, ImageRow>();
  for (const commit of commits.toSorted((a, b) => a.revision - b.revision)) {
    const decoded = decodeParquet(await getObject(output, commit.images, signal));
    for (const row of z.array(imageRow).parse(decoded)) rows.set(row.row, row);
  }
  return [...rows.values()].toSorted((a, b) => a.row - b.row);
}

/** Whether a retry redoes an image. @param codes null for all that failed */
export function isRetried({ status, code }: ImageRow, codes: readonly string[] | null): boolean {
  return status === 'failed' && (codes === null || codes.includes(code!));
}

/**
 * The rows that a revision of a chunk redoes: those that failed, with one of `codes`, according to the revisions before it. Whoever
 * asks, the answer is the same.
 */
export async function retryPass(
  output: ObjectStore,
  run: string,
  chunk: number,
  revision: number,
  codes: readonly string[] | null,
  signal?: AbortSignal,
): Promise<Pass> {
  const before = (await readChunkCommits(output, run, chunk, signal)).filter(
    (commit) => commit.revision < revision,
  );
  const rows = (await lastRows(output, before, signal)).filter((row) => isRetried(row, codes));
  return { revision, rows: rows.map(({ row }) => row) };
}
