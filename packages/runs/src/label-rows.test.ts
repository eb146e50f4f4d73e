import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ObjectInfo } from '@filterscope/storage/object-store';
import type { Labels } from './label-rows.ts';
import { manifestOf } from './manifest.ts';
import { rowClasses } from './row-classes.ts';

const info = (key: string): ObjectInfo => ({ key, sizeBytes: 1, etag: 'e', modifiedAt: new Date(0) });
const labelsOf = (pairs: readonly (readonly [string, string])[]): Labels => ({
  name: 'labels.csv',
  read(onLabel) {
    for (const [image, name] of pairs) onLabel(image, name);
    return Promise.resolve('5a');
  },
});
// 55037.jpg and 150340.jpg, 88088.jpg and 70109.jpg: digests that begin with the same four bytes.
const KEYS = ['55037.jpg', '150340.jpg', '88088.jpg', '70109.jpg', 'cat/a.jpg', 'cat/b.jpg', 'notes.txt'];

test('every row has the classes of its labels and no others, whatever the order of the lines', async () => {
  const label = fc.tuple(fc.constantFrom(...KEYS, 'stranger.jpg'), fc.constantFrom('wild', 'tame', 'cat'));
  const labels = fc
    .array(label, { maxLength: 20 })
    .filter((all) => all.some(([image]) => KEYS.includes(image)));
  const shuffled = labels.chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length })),
  );
  await fc.assert(
    fc.asyncProperty(shuffled, async ([pairs, other]) => {
      const listing = KEYS.map(info);
      const { rows, digest, labelling } = await manifestOf(listing, { labels: labelsOf(pairs) });
      const { rows: plain } = await manifestOf(listing);
      const expected = [...plain].map((row) => {
        const own = new Set(pairs.filter(([image]) => image === row.image).map(([, name]) => name));
        return { ...row, class: own.size === 0 ? null : [...own].toSorted().join('|') };
      });
      expect([...rows]).toEqual(expected);
      expect(rows.slice(2, 5)).toEqual(expected.slice(2, 5));
      expect(labelling).toEqual({
        name: 'labels.csv',
        sha256: '5a',
        labelled: expected.filter((row) => row.class !== null).length,
        unknown: pairs.filter(([image]) => !KEYS.includes(image)).length,
      });
      expect((await manifestOf(listing, { labels: labelsOf(other) })).digest).toBe(digest);
    }),
  );
});

test('the digest changes with a label', async () => {
  const listing = KEYS.map(info);
  const all = [[['cat/a.jpg', 'cat']], [['cat/a.jpg', 'tame']], [['cat/b.jpg', 'cat']]] as const;
  const manifests = await Promise.all(all.map((pairs) => manifestOf(listing, { labels: labelsOf(pairs) })));
  expect(new Set(manifests.map(({ digest }) => digest)).size).toBe(3);
});

test('labels of no image of the dataset are refused, with an example of each', async () => {
  const none = manifestOf([info('cat/a.jpg')], { labels: labelsOf([['a.jpg', 'cat']]) });
  await expect(none).rejects.toMatchObject({
    code: 'labels-unknown',
    message: expect.stringContaining('it speaks of "a.jpg", the dataset has "cat/a.jpg"') as string,
  });
  await expect(manifestOf([info('a.jpg')], { labels: labelsOf([]) })).rejects.toThrow('it has no labels');
});

test('only in a run with labels does | stand between two classes', () => {
  const labels = { name: 'labels.csv', sha256: '5a' };
  expect(rowClasses({ labels }, 'cat|tame')).toEqual(['cat', 'tame']);
  expect(rowClasses({ labels: null }, 'cat|tame')).toEqual(['cat|tame']);
  expect(rowClasses({ labels }, null)).toEqual([]);
});
