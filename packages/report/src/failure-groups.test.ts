import { expect, test } from 'vitest';
import type { ImageRow } from '@filterscope/runs/image-row';
import { failureGroups } from './failure-groups.ts';

async function* rows(
  ...all: readonly (readonly [ImageRow['status'], string | null, string])[]
): AsyncGenerator<ImageRow> {
  const unknown = {
    class: null,
    width: null,
    height: null,
    format: null,
    sha256: null,
    blankFilters: null,
    zeros: null,
    duplicateOf: null,
    grids: null,
  };
  for (const [row, [status, code, image]] of all.entries())
    yield { ...unknown, row, image, status, code, message: `why ${row}`, sizeBytes: 1, etag: 'e' };
}

test('failed ones first, most frequent first, three examples of each', async () => {
  const groups = await failureGroups(
    rows(
      ['ok', null, 'fine'],
      ['skipped', 'not-image-name', 'notes'],
      ['failed', 'empty', 'e'],
      ...Array.from({ length: 4 }, (_, i) => ['failed', 'truncated', `t${i}`] as const),
    ),
  );
  expect(groups.map(({ status, code, images }) => [status, code, images])).toEqual([
    ['failed', 'truncated', 4],
    ['failed', 'empty', 1],
    ['skipped', 'not-image-name', 1],
  ]);
  expect(groups[0].examples).toEqual([
    { image: 't0', message: 'why 3' },
    { image: 't1', message: 'why 4' },
    { image: 't2', message: 'why 5' },
  ]);
});
