import { describe, expect, test } from 'vitest';
import type { ObjectStore } from '@filterscope/storage/object-store';

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const collect = async <T>(items: AsyncIterable<T>): Promise<T[]> => Array.fromAsync(items);

/** What every adapter of the ObjectStore port must do. `open` gives a new, empty store. */
export function objectStoreContract(name: string, open: () => Promise<ObjectStore>): void {
  describe(`${name} keeps the ObjectStore contract`, () => {
    test('gives back what was put, byte for byte, and an ETag that changes with the content', async () => {
      await using store = await open();
      const every = Uint8Array.from({ length: 256 }, (_, i) => i);
      await store.put('a/every', every);
      const first = await store.get('a/every');
      expect(first.bytes).toEqual(every);
      await store.put('a/every', bytes('other'));
      const second = await store.get('a/every');
      expect(text(second.bytes)).toBe('other');
      expect(second.etag).not.toBe(first.etag);
      await store.put('empty', new Uint8Array());
      expect((await store.get('empty')).bytes).toHaveLength(0);
    });

    test('reads ranges, both ends included, cut at the end of the object', async () => {
      await using store = await open();
      await store.put('digits', bytes('0123456789'));
      expect(text((await store.get('digits', { start: 2, end: 4 })).bytes)).toBe('234');
      expect(text((await store.get('digits', { start: 8, end: 99 })).bytes)).toBe('89');
    });

    test('says that an object is missing', async () => {
      await using store = await open();
      await expect(store.get('nowhere/at-all')).rejects.toMatchObject({
        code: 'object-missing',
        class: 'permanent',
      });
      expect(await collect(store.list('nowhere/'))).toEqual([]);
      expect(await collect(store.folders('nowhere/'))).toEqual([]);
    });

    test('creates if absent with one winner of sixteen racers, whose bytes stay', async () => {
      await using store = await open();
      const racers = Array.from({ length: 16 }, (_, i) =>
        store.put('race', bytes(`racer ${i}`), { ifAbsent: true }),
      );
      const won = await Promise.all(racers);
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(text((await store.get('race')).bytes)).toBe(`racer ${won.indexOf(true)}`);
      expect(await store.put('race', bytes('late'), { ifAbsent: true })).toBe(false);
      expect(text((await store.get('race')).bytes)).toBe(`racer ${won.indexOf(true)}`);
    });

    test('lists 2,500 keys with spaces, unicode, %, + and newlines in them', async () => {
      await using store = await open();
      const odd = ['a b', 'ä€𝄞', '100%', '1+1', 'line\nbreak', '%2F', 'a&b=c?d#e', "it's", '"q"', '..dots..'];
      const keys = Array.from({ length: 2500 }, (_, i) => `images/${i % 7}/${odd[i % odd.length]} ${i}.jpg`);
      for (let i = 0; i < keys.length; i += 100) {
        await Promise.all(keys.slice(i, i + 100).map((key) => store.put(key, bytes(key))));
      }
      await store.put('imagesque', bytes('not below images/'));
      const listed = await collect(store.list('images/'));
      expect(listed.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
      for (const { key, sizeBytes } of listed) expect(sizeBytes).toBe(bytes(key).length);
      const some = listed[1234];
      const got = await store.get(some.key);
      expect(text(got.bytes)).toBe(some.key);
      expect(got.etag).toBe(some.etag);
      expect((await collect(store.folders('images/'))).toSorted()).toEqual([
        '0',
        '1',
        '2',
        '3',
        '4',
        '5',
        '6',
      ]);
      expect(await collect(store.folders(''))).toEqual(['images']);
      expect(await collect(store.list('images/3/1'))).toHaveLength(
        keys.filter((k) => k.startsWith('images/3/1')).length,
      );
    });

    test('copies, replacing what was there, and keeps the copy when the original changes or goes', async () => {
      await using store = await open();
      await store.put('from', bytes('one'));
      await store.put('to/there', bytes('old'));
      await store.copy('from', 'to/there');
      await store.copy('from', 'to/there');
      await store.put('from', bytes('two'));
      expect(text((await store.get('to/there')).bytes)).toBe('one');
      await store.delete(['from']);
      expect(text((await store.get('to/there')).bytes)).toBe('one');
      await expect(store.copy('gone', 'x')).rejects.toMatchObject({ code: 'object-missing' });
    });

    test('deletes many at once, missing ones too', async () => {
      await using store = await open();
      await store.put('d/1', bytes('1'));
      await store.put('d/2', bytes('2'));
      await store.delete(['d/1', 'd/never', 'd/2']);
      expect(await collect(store.list(''))).toEqual([]);
    });

    test('stops with the reason of an aborted signal', async () => {
      await using store = await open();
      const signal = AbortSignal.abort(new Error('stop now'));
      await expect(store.get('a', undefined, signal)).rejects.toThrow('stop now');
      await expect(store.put('a', bytes('a'), { signal })).rejects.toThrow('stop now');
      expect(await collect(store.list(''))).toEqual([]);
    });
  });
}
