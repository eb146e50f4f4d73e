import { expect, test } from 'vitest';
import type { ObjectInfo, ObjectStore } from '@filterscope/storage/object-store';
import { listDataset } from './listing.ts';

/** A store of which only the listing is there. */
function listed(url: string, keys: readonly string[]): ObjectStore {
  const list = async function* (): AsyncGenerator<ObjectInfo> {
    for (const key of keys) yield { key, sizeBytes: 1, etag: 'e', modifiedAt: new Date(0) };
  };
  return { url, list } as unknown as ObjectStore;
}

test.each([
  ['/photos/out', ['cat/1.jpg', 'outside/1.jpg', 'output.jpg']],
  ['/photos/cat', ['out/runs/x.jpg', 'outside/1.jpg', 'output.jpg']],
  ['/photos-2/out', ['cat/1.jpg', 'out/runs/x.jpg', 'outside/1.jpg', 'output.jpg']],
  ['/elsewhere', ['cat/1.jpg', 'out/runs/x.jpg', 'outside/1.jpg', 'output.jpg']],
])('an output in %s', async (excluded, expected) => {
  const dataset = listed('/photos', ['cat/1.jpg', 'out/runs/x.jpg', 'outside/1.jpg', 'output.jpg']);
  const listing = await Array.fromAsync(listDataset(dataset, { excluded }));
  expect(listing.map(({ key }) => key)).toEqual(expected);
});

test('a dataset with nothing but an output in it is empty', async () => {
  const dataset = listed('/photos', ['out/runs/x.jpg']);
  const listing = Array.fromAsync(listDataset(dataset, { excluded: '/photos/out' }));
  await expect(listing).rejects.toMatchObject({
    code: 'no-images',
  });
});
