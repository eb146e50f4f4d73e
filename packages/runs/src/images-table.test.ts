import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { putObject, type Commit } from './commit.ts';
import { imageColumns, type ImageRow } from './image-row.ts';
import { imagesFiles, type ImagesFile } from './images-table.ts';
import { decodeParquet, encodeParquet } from './parquet.ts';
import { exampleCommit, exampleRun } from './test-support/example-run.ts';

const document = exampleRun();
const columns = imageColumns(document.settings.layers);
let folder: string;
let output: ObjectStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filterscope-images-'));
  output = openFolderStore(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const STATUSES = ['ok', 'ok', 'ok', 'failed', 'skipped'] as const;

function imageRow(row: number, status: ImageRow['status'], content: number): ImageRow {
  const ok = status === 'ok';
  return {
    row,
    image: `cat/${row}.jpg`,
    class: row % 3 === 0 ? null : 'cat',
    status,
    code: ok ? null : 'truncated',
    message: ok ? null : 'it ends too early',
    width: ok ? 500 : null,
    height: ok ? 375 : null,
    format: ok ? 'jpeg' : null,
    sizeBytes: 1000 + content,
    etag: `e${row}`,
    sha256: status === 'skipped' ? null : String(content).repeat(64),
    blankFilters: ok ? { block1_conv1: 3, block2_conv1: row } : null,
    zeros: ok ? { block1_conv1: 3_211_264, block2_conv1: row } : null,
    duplicateOf: null,
    grids: null,
  };
}

async function commitOf(chunk: number, revision: number, rows: readonly ImageRow[]): Promise<Commit> {
  const bytes = encodeParquet(
    columns,
    rows.map((row) => ({ ...row })),
  );
  const images = await putObject(output, `chunks/${chunk}/${revision}.parquet`, bytes);
  return exampleCommit(chunk, { revision, rows: rows.length, images });
}

async function tableOf(commits: readonly Commit[]) {
  const files: ImagesFile[] = await Array.fromAsync(imagesFiles({ document, commits, output }));
  return { files, rows: files.flatMap(({ bytes }) => decodeParquet(bytes)) };
}

test('the table holds the last word on every row, and of each duplicate the first row that equals it', async () => {
  const image = fc.record({
    status: fc.constantFrom(...STATUSES),
    content: fc.nat(6),
    retried: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(image, { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 9 }),
      async (images, chunkSize) => {
        const commits: Commit[] = [];
        const last: ImageRow[] = [];
        for (let from = 0; from < images.length; from += chunkSize) {
          const chunk = images
            .slice(from, from + chunkSize)
            .map((given, i) => ({ ...given, row: imageRow(from + i, given.status, given.content) }));
          commits.push(
            await commitOf(
              from / chunkSize,
              0,
              chunk.map(({ row }) => row),
            ),
          );
          const redone = chunk
            .filter(({ status, retried }) => status === 'failed' && retried)
            .map(({ row, content }) => imageRow(row.row, 'ok', content));
          if (redone.length > 0) commits.push(await commitOf(from / chunkSize, 1, redone));
          last.push(...chunk.map(({ row }) => redone.find((other) => other.row === row.row) ?? row));
        }
        const expected = last.map((row) => {
          const first = last.find(({ status, sha256 }) => status === 'ok' && sha256 === row.sha256);
          return { ...row, duplicateOf: row.status === 'ok' && first !== row ? first!.row : null };
        });
        const { files, rows } = await tableOf(commits);
        expect(rows).toEqual(expected);
        const [{ counts, duplicates }] = files;
        expect(duplicates).toEqual(
          expected.flatMap(({ row, duplicateOf }) => (duplicateOf === null ? [] : row)),
        );
        const sum = (status: string) => last.filter((row) => row.status === status).length;
        expect(counts).toEqual({ ok: sum('ok'), failed: sum('failed'), skipped: sum('skipped') });
      },
    ),
    { numRuns: 40 },
  );
});

test('a chunk whose table has other columns is not taken in', async () => {
  const images = await putObject(output, 'other', encodeParquet({ row: 'int32' }, [{ row: 0 }]));
  await expect(tableOf([exampleCommit(0, { images })])).rejects.toMatchObject({ code: 'broken-object' });
});

test('files hold whole chunks and at least 8,192 rows, and the same commits give the same bytes', async () => {
  const chunks = Array.from({ length: 5 }, (_, chunk) =>
    Array.from({ length: 3000 }, (_, i) => imageRow(chunk * 3000 + i, 'ok', i % 7)),
  );
  const commits = await Promise.all(chunks.map((rows, chunk) => commitOf(chunk, 0, rows)));
  const { files, rows } = await tableOf(commits);
  expect(files.map(({ counts }) => counts.ok)).toEqual([9000, 6000]);
  expect(rows.map(({ row }) => row)).toEqual(Array.from({ length: 15_000 }, (_, i) => i));
  expect((await tableOf(commits)).files).toEqual(files);
});
