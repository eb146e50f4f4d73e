import { expect, test } from 'vitest';
import { settleAll } from './settle-all.ts';

test('gives every result in order', async () => {
  expect(await settleAll([Promise.resolve(1), Promise.resolve('two')])).toEqual([1, 'two']);
});

test('throws the first error only when nothing goes on any more', async () => {
  const slow = Promise.withResolvers<void>();
  let settled = false;
  const all = settleAll([Promise.reject(new Error('first')), slow.promise]).catch((error: unknown) => {
    settled = true;
    return error;
  });
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  slow.resolve();
  expect(await all).toMatchObject({ message: 'first' });
});
