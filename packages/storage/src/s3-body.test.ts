import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { readBody } from './s3-body.ts';

const parts = (...lengths: readonly number[]) =>
  lengths.map((length, i) => new Uint8Array(length).fill(i + 1));

test('parts come together in one piece', async () => {
  expect([...(await readBody(Readable.from(parts(2, 3)), 5))]).toEqual([1, 1, 2, 2, 2]);
  expect(await readBody(Readable.from([]), 0)).toHaveLength(0);
});

test.each([
  ['cut short', Readable.from(parts(2, 2)), 5],
  ['too long', Readable.from(parts(2, 4)), 5],
  ['of unknown length', Readable.from(parts(5)), undefined],
  ['broken off', Readable.from(brokenOff()), 5],
])('a body that is %s is an error, never fewer bytes', async (_, body, length) => {
  await expect(readBody(body, length)).rejects.toMatchObject({ name: 'IncompleteBody' });
  expect(body.destroyed).toBe(length !== undefined);
});

async function* brokenOff() {
  yield new Uint8Array(2);
  throw new Error('aborted');
}
