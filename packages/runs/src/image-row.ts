import { z } from 'zod';
import type { Columns } from './parquet.ts';

export const IMAGE_STATUSES = ['ok', 'failed', 'skipped'] as const;

/** Code of the images that were skipped because the run had enough of them. */
export const PRECISION_REACHED = 'precision-reached';

/** What became of one row of the manifest: a row of the table `images`. */
export interface ImageRow {
  readonly row: number;
  /** Key below the dataset's URL. */
  readonly image: string;
  readonly class: string | null;
  readonly status: (typeof IMAGE_STATUSES)[number];
  /** Why it failed or was skipped; null when ok. */
  readonly code: string | null;
  readonly message: string | null;
  /** Pixels of the upright picture, where it came that far. */
  readonly width: number | null;
  readonly height: number | null;
  readonly format: string | null;
  readonly sizeBytes: number;
  readonly etag: string;
  /** SHA-256 of the bytes, where they were read: equal images have it in common. */
  readonly sha256: string | null;
  /** Number of blank filters by layer; null unless ok. */
  readonly blankFilters: Readonly<Record<string, number>> | null;
  /** Positions that are 0, over all filters of a layer, by layer; null unless ok. */
  readonly zeros: Readonly<Record<string, number>> | null;
  /**
   * The first row of the manifest that is ok and holds the same bytes; null for that row itself, and where nothing is known: of images
   * that are not ok, and before the run's tables are built.
   */
  readonly duplicateOf: number | null;
  /** Folder below the output URL that holds the image's grids; null without. */
  readonly grids: string | null;
}

export function imageColumns(layers: readonly string[]): Columns {
  return {
    row: 'int32',
    image: 'string',
    class: 'string',
    status: 'string',
    code: 'string',
    message: 'string',
    width: 'int32',
    height: 'int32',
    format: 'string',
    sizeBytes: 'int64',
    etag: 'string',
    sha256: 'string',
    blankFilters: { counts: layers },
    zeros: { sums: layers },
    duplicateOf: 'int32',
    grids: 'string',
  };
}

export const imageRow = z.object({
  row: z.int().nonnegative(),
  image: z.string(),
  class: z.string().nullable(),
  status: z.enum(IMAGE_STATUSES),
  code: z.string().nullable(),
  message: z.string().nullable(),
  width: z.number().nullable(),
  height: z.number().nullable(),
  format: z.string().nullable(),
  sizeBytes: z.number(),
  etag: z.string(),
  sha256: z.string().nullable(),
  blankFilters: z.record(z.string(), z.number()).nullable(),
  zeros: z.record(z.string(), z.number()).nullable(),
  duplicateOf: z.number().nullable(),
  grids: z.string().nullable(),
}) satisfies z.ZodType<ImageRow>;
