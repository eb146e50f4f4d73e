import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ManifestRow } from './manifest-rows.ts';
import type { Manifest } from './manifest.ts';
import { planRun, requireImages, type RunPlan } from './plan-run.ts';
import type { GridSelection } from './run-document.ts';
import { exampleRun } from './test-support/example-run.ts';

const { settings } = exampleRun();
const weights: RunPlan['weights'] = {
  content: { flavour: 'keras', synthetic: true, name: 'synthetic', layers: new Map() },
  bytes: new Uint8Array(),
  sha256: 'w',
};
/** `i` is an image, `.` a name that is none. */
function manifest(pattern: string): Manifest {
  const rows = Array.from(pattern, (kind, i): ManifestRow => {
    const skip = kind === 'i' ? null : 'not-image-name';
    return { image: `${i}`, sizeBytes: 1, etag: 'e', class: null, skip };
  });
  return { rows, labelling: null, digest: pattern };
}
const plan = (pattern: string, grids: GridSelection = 'all', chunkSize?: number) =>
  planRun(manifest(pattern), { ...settings, grids }, weights, chunkSize);

describe('images that get grids', () => {
  test.each([
    ['iiiii', 'all', 5, 5],
    ['iiiii', 'none', 0, 0],
    ['iiiii', { first: 2 }, 2, 2],
    ['iiiii', { first: 9 }, 5, 5],
    ['.i.i.', { first: 1 }, 1, 2],
    ['.i.i.', 'all', 2, 4],
    ['..iii', 'none', 0, 0],
    ['iiiiiiiiii', { percent: 25 }, 3, 3],
    ['iiiiiiiiii', { percent: 100 }, 10, 10],
    ['i...', { percent: 0.1 }, 1, 1],
  ] as const)('%s, %o', (pattern, grids, images, rows) => {
    expect(plan(pattern, grids)).toMatchObject({ gridImages: images, gridRows: rows });
  });

  test('the rows below the border hold exactly as many images as are to get grids', () => {
    const patterns = fc
      .array(fc.constantFrom('i', '.'), { minLength: 1, maxLength: 40 })
      .map((kinds) => kinds.join(''))
      .filter((pattern) => pattern.includes('i'));
    fc.assert(
      fc.property(patterns, fc.integer({ min: 1, max: 50 }), (pattern, first) => {
        const { gridRows, gridImages } = plan(pattern, { first });
        expect(gridImages).toBe(Math.min(first, pattern.replaceAll('.', '').length));
        expect(pattern.slice(0, gridRows).replaceAll('.', '')).toHaveLength(gridImages);
        expect(pattern[gridRows - 1]).toBe('i');
      }),
    );
  });
});

test('chunks grow with the dataset, between 32 and 256 images', () => {
  const sizes = [1, 32, 8192, 8193, 65_536, 200_000].map((rows) => plan('i'.repeat(rows)).chunkSize);
  expect(sizes).toEqual([32, 32, 32, 33, 256, 256]);
  expect(plan('iii', 'all', 2).chunkSize).toBe(2);
});

test('the run’s id does not depend on the chunk size', () => {
  expect(plan('iii', 'all', 1).run).toBe(plan('iii', 'all', 100).run);
  expect(plan('iiii').run).not.toBe(plan('iii').run);
});

test('without an image there is no run', () => {
  expect(() => plan('...')).toThrow('none of the 3 files has the name of an image');
  expect(() => plan('')).toThrow('no file matches');
  expect(requireImages(manifest('.ii'))).toBe(2);
});
