import * as fc from 'fast-check';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { shareBar } from './share-bar.ts';

const plain = (...args: Parameters<typeof shareBar>) => stripVTControlCharacters(shareBar(...args));

test('bars resolve an eighth of a character', () => {
  expect(shareBar(0, 4)).toBe('····');
  expect(shareBar(0.5, 4)).toBe('██··');
  expect(shareBar(1, 4)).toBe('████');
  expect(shareBar(1 / 32, 4)).toBe('▏···');
  expect(shareBar(0.25 + 7 / 32, 4)).toBe('█▉··');
  expect(shareBar(null, 4)).toBe('····');
});

test('the published share is marked in its place', () => {
  expect(plain(0.5, 4, 0)).toBe('┃█··');
  expect(plain(0.5, 4, 0.99)).toBe('██·┃');
  expect(plain(0.5, 4, 1)).toBe('██·┃');
});

test('a bar is always as wide as asked', () => {
  const share = fc.double({ min: -0.5, max: 1.5, noNaN: true });
  fc.assert(
    fc.property(
      share,
      fc.integer({ min: 1, max: 60 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      (share, width, mark) => {
        const bar = mark === null ? shareBar(share, width) : shareBar(share, width, mark);
        expect(Array.from(stripVTControlCharacters(bar))).toHaveLength(width);
      },
    ),
  );
});
