import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectInfo } from '@filterscope/storage/object-store';
import { manifestOf, openManifest, ROWS_PER_PART, storeManifest } from './manifest.ts';

const info = (key: string, given: Partial<ObjectInfo> = {}): ObjectInfo => {
  return { key, sizeBytes: key.length, etag: `e-${key}`, modifiedAt: new Date(0), ...given };
};
const isCat = (key: string) => key.startsWith('cat/');
const keysOf = (listing: readonly ObjectInfo[], options?: Parameters<typeof manifestOf>[1]) =>
  manifestOf(listing, options).rows.map(({ image }) => image);

const key = fc
  .tuple(
    fc.constantFrom('', 'cat/', 'dog/', 'dog/deep/'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((name) => !name.includes('/')),
    fc.constantFrom('.jpg', '.PNG', '.txt', '', '/'),
  )
  .map((parts) => parts.join(''));
const listings = fc.uniqueArray(key, { maxLength: 30 }).map((keys) => keys.map((name) => info(name)));

test("rows stand in the order of SHA-256 of their keys' UTF-8 bytes", () => {
  // By `printf '%s' KEY | sha256sum`: 509b…, 60de…, 7a11…, 9c2b….
  const listing = ['b.jpg', 'ä.jpg', 'cat/a.jpg', 'a.jpg'].map((name) => info(name));
  expect(keysOf(listing)).toEqual(['a.jpg', 'cat/a.jpg', 'b.jpg', 'ä.jpg']);
  fc.assert(
    fc.property(listings, (listing) => {
      const digests = keysOf(listing).map(sha256);
      expect(digests).toEqual(digests.toSorted((a, b) => Buffer.compare(a, b)));
    }),
  );
});

test('any order of the listing gives the same manifest and digest', () => {
  const shuffled = listings.chain((listing) =>
    fc.tuple(fc.constant(listing), fc.shuffledSubarray(listing, { minLength: listing.length })),
  );
  fc.assert(
    fc.property(shuffled, ([listing, other]) => {
      expect(manifestOf(other)).toEqual(manifestOf(listing));
    }),
  );
});

test('the digest changes with a key, a size, an ETag and a row that comes or goes', () => {
  const listing = ['a.jpg', 'cat/b.jpg', 'notes.txt'].map((name) => info(name));
  const others = [
    [...listing, info('c.jpg')],
    listing.slice(1),
    [info('a2.jpg'), ...listing.slice(1)],
    [info('a.jpg', { sizeBytes: 6 }), ...listing.slice(1)],
    [info('a.jpg', { etag: 'new' }), ...listing.slice(1)],
  ];
  const digests = [listing, ...others].map((each) => manifestOf(each).digest);
  expect(new Set(digests).size).toBe(digests.length);
  const touched = listing.map((each) => ({ ...each, modifiedAt: new Date() }));
  expect(manifestOf(touched).digest).toBe(digests[0]);
});

test('a limit takes a beginning of the images, whatever else is listed', () => {
  fc.assert(
    fc.property(listings, fc.integer({ min: 1, max: 10 }), (listing, limit) => {
      const images = manifestOf(listing).rows.filter(({ skip }) => skip === null);
      expect(manifestOf(listing, { limit }).rows).toEqual(images.slice(0, limit));
    }),
  );
});

test('what is not included is no part of the dataset, and the others keep their order', () => {
  fc.assert(
    fc.property(listings, (listing) => {
      const { rows } = manifestOf(listing, { include: isCat });
      expect(rows).toEqual(manifestOf(listing).rows.filter(({ image }) => isCat(image)));
    }),
  );
});

describe('a row', () => {
  test.each([
    ['cat/deep/1.JPEG', { class: 'cat', skip: null }],
    ['1.jpg', { class: null, skip: null }],
    ['/1.jpg', { class: null, skip: null }],
    ['cat/notes.txt', { class: 'cat', skip: 'not-image-name' }],
    ['cat/.jpg', { class: 'cat', skip: 'not-image-name' }],
    ['cat/folder.jpg/', { class: 'cat', skip: 'not-image-name' }],
  ])('%s', (name, expected) => {
    const [row] = manifestOf([info(name)]).rows;
    expect(row).toEqual({ image: name, sizeBytes: name.length, etag: `e-${name}`, ...expected });
  });
});

test('a stored manifest is read in any range, over the borders of its parts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-manifest-'));
  try {
    await using output = openFolderStore(folder);
    const count = ROWS_PER_PART * 2 + 5;
    const manifest = manifestOf(Array.from({ length: count }, (_, i) => info(`cat/${i}.jpg`)));
    await storeManifest(output, 'r', manifest);
    for (const [from, to] of [
      [0, 1],
      [0, count],
      [ROWS_PER_PART - 2, ROWS_PER_PART + 2],
      [ROWS_PER_PART, ROWS_PER_PART * 2],
      [count - 1, count],
      [7, 7],
    ]) {
      const rows = await openManifest(output, 'r').read(from, to);
      expect(rows, `${from} … ${to}`).toEqual(manifest.rows.slice(from, to));
    }
    const beyond = openManifest(output, 'r').read(count - 1, count + 1);
    await expect(beyond).rejects.toMatchObject({ code: 'broken-manifest' });
  } finally {
    await rm(folder, { recursive: true });
  }
});

function sha256(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest();
}
