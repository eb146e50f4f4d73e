import { expect, test } from 'vitest';
import { openStore } from './open-store.ts';

test('a URL says which store it is; nothing is reached yet', async () => {
  const urls = ['s3://bucket/prefix/', 'file:///data/photos', '/data/photos'];
  const stores = await Promise.all(urls.map((url) => openStore(url)));
  expect(stores.map(({ url }) => url)).toEqual(['s3://bucket/prefix', '/data/photos', '/data/photos']);
  expect(stores.map((store) => 'localPath' in store)).toEqual([false, true, true]);
  for (const store of stores) await store[Symbol.asyncDispose]();
});

test('another scheme is refused, without repeating what may hold a password', async () => {
  const refused = await openStore('https://me:SECRET@host/x').catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'unsupported-url', class: 'permanent' });
  expect(String(refused)).not.toContain('SECRET');
});

test.each(['s3:/bucket/x', 's3:bucket', 'S3:'])('%s is a slip, not a folder of that name', async (url) => {
  await expect(openStore(url)).rejects.toMatchObject({ code: 'bad-url' });
});
