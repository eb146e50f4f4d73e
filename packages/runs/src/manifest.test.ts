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
const rowsOf = async (listing: readonly ObjectInfo[], options?: Parameters<typeof manifestOf>[1]) => [
  ...(await manifestOf(listing, options)).rows,
];
const keysOf = async (listing: readonly ObjectInfo[]) => (await rowsOf(listing)).map(({ image }) => image);

const key = fc
  .tuple(
    fc.constantFrom('', 'cat/', 'dog/', 'dog/deep/'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((name) => !name.includes('/')),
    fc.constantFrom('.jpg', '.PNG', '.txt', '', '/'),
  )
  .map((parts) => parts.join(''));
const listings = fc.uniqueArray(key, { maxLength: 30 }).map((keys) => keys.map((name) => info(name)));

test("rows stand in the order of SHA-256 of their keys' UTF-8 bytes", async () => {
  // By `printf '%s' KEY | sha256sum`: 509b…, 60de…, 7a11…, 9c2b….
  const listing = ['b.jpg', 'ä.jpg', 'cat/a.jpg', 'a.jpg'].map((name) => info(name));
  expect(await keysOf(listing)).toEqual(['a.jpg', 'cat/a.jpg', 'b.jpg', 'ä.jpg']);
  await fc.assert(
    fc.asyncProperty(listings, async (listing) => {
      const digests = (await keysOf(listing)).map(sha256);
      expect(digests).toEqual(digests.toSorted((a, b) => Buffer.compare(a, b)));
    }),
  );
});

test('any order of the listing gives the same manifest and digest', async () => {
  const shuffled = listings.chain((listing) =>
    fc.tuple(fc.constant(listing), fc.shuffledSubarray(listing, { minLength: listing.length })),
  );
  await fc.assert(
    fc.asyncProperty(shuffled, async ([listing, other]) => {
      const [one, two] = [await manifestOf(listing), await manifestOf(other)];
      expect([...two.rows]).toEqual([...one.rows]);
      expect(two.digest).toBe(one.digest);
    }),
  );
});

test('the digest changes with a key, a size, an ETag and a row that comes or goes', async () => {
  const listing = ['a.jpg', 'cat/b.jpg', 'notes.txt'].map((name) => info(name));
  const others = [
    [...listing, info('c.jpg')],
    listing.slice(1),
    [info('a2.jpg'), ...listing.slice(1)],
    [info('a.jpg', { sizeBytes: 6 }), ...listing.slice(1)],
    [info('a.jpg', { etag: 'new' }), ...listing.slice(1)],
  ];
  const manifests = await Promise.all([listing, ...others].map((each) => manifestOf(each)));
  const digests = manifests.map(({ digest }) => digest);
  expect(new Set(digests).size).toBe(digests.length);
  const touched = listing.map((each) => ({ ...each, modifiedAt: new Date() }));
  expect((await manifestOf(touched)).digest).toBe(digests[0]);
});

test('the digest is what it has always been: run ids hang on it', async () => {
  const listing = [
    info('b.jpg', { sizeBytes: 1 }),
    info('ä.jpg', { sizeBytes: 2 }),
    info('cat/a "x"\n.jpg', { sizeBytes: 3 }),
    info('a.txt', { sizeBytes: 2 ** 40 }),
  ];
  // Found with an implementation that kept rows as objects, before this one.
  const expected = 'bdda644ef4980fc34bd4bb53b086c76e13cd18fc36166f933fdde727ad5e0fd4';
  expect((await manifestOf(listing)).digest).toBe(expected);
});

test('long keys and many of them come back as they were, over the borders of pages', async () => {
  const listing = Array.from({ length: 3000 }, (_, i) =>
    info(`${'ü'.repeat((i * 7) % 512)}-${i}.jpg`, {
      sizeBytes: i * 2 ** 30,
      etag: ['e', 'd41d8cd9', 'D4', '-é'][i % 4].repeat(i % 70), // odd and even numbers of digits, and others
    }),
  );
  listing.push(info('x'.repeat(2 ** 21)));
  const rows = await rowsOf(listing);
  const byKey = new Map(rows.map((row) => [row.image, row]));
  expect(byKey.size).toBe(listing.length);
  for (const { key, sizeBytes, etag } of listing)
    expect(byKey.get(key)).toMatchObject({ image: key, sizeBytes, etag });
});

test('digests that begin with the same four bytes are told apart by the others', async () => {
  // By `printf '%s' KEY | sha256sum`: e1827a843e41… before e1827a84edce…, and a34574eb3e33… before a34574eba548….
  const listing = ['55037.jpg', '150340.jpg', '88088.jpg', '70109.jpg'].map((name) => info(name));
  expect(await keysOf(listing)).toEqual(['70109.jpg', '150340.jpg', '88088.jpg', '55037.jpg']);
});

test('a limit takes a beginning of the images, whatever else is listed', async () => {
  await fc.assert(
    fc.asyncProperty(listings, fc.integer({ min: 1, max: 10 }), async (listing, limit) => {
      const images = (await rowsOf(listing)).filter(({ skip }) => skip === null);
      expect(await rowsOf(listing, { limit })).toEqual(images.slice(0, limit));
    }),
  );
});

test('what is not included is no part of the dataset, and the others keep their order', async () => {
  await fc.assert(
    fc.asyncProperty(listings, async (listing) => {
      const rows = await rowsOf(listing);
      expect(await rowsOf(listing, { include: isCat })).toEqual(rows.filter(({ image }) => isCat(image)));
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
  ])('%s', async (name, expected) => {
    const [row] = await rowsOf([info(name)]);
    expect(row).toEqual({ image: name, sizeBytes: name.length, etag: `e-${name}`, ...expected });
  });
});

test('a stored manifest is read in any range, over the borders of its parts', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-manifest-'));
  try {
    await using output = openFolderStore(folder);
    const count = ROWS_PER_PART * 2 + 5;
    const manifest = await manifestOf(Array.from({ length: count }, (_, i) => info(`cat/${i}.jpg`)));
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
