import { randomUUID } from 'node:crypto';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { measured, type Check } from './check.ts';

const RACERS = 8;

/** Does the store keep what it must for runs to be right: create once, read back, list? Leaves nothing behind. */
export async function storeChecks(store: ObjectStore, signal: AbortSignal): Promise<Check[]> {
  const folder = `verify-${randomUUID()}/`;
  const [key, other] = [`${folder}created`, `${folder}read/back`];
  try {
    const offers = Array.from({ length: RACERS }, (_, i) => Uint8Array.of(i, 1, 2, 3));
    const won = await Promise.all(offers.map((bytes) => store.put(key, bytes, { ifAbsent: true, signal })));
    const winners = won.filter(Boolean).length;
    const late = await store.put(key, Uint8Array.of(99), { ifAbsent: true, signal });
    const { bytes } = await store.get(key, undefined, signal);
    const kept = Buffer.from(bytes).equals(Buffer.from(offers[won.indexOf(true)] ?? []));
    await store.put(other, Uint8Array.of(0, 1, 2, 3), { signal });
    const range = await store.get(other, { start: 1, end: 2 }, signal);
    const listed = (await Array.fromAsync(store.list(`${folder}read/`, signal))).map((object) => [
      object.key,
      object.sizeBytes,
    ]);
    const wrong = [
      Buffer.from(range.bytes).equals(Buffer.of(1, 2)) ? 0 : 1,
      JSON.stringify(listed) === JSON.stringify([[other, 4]]) ? 0 : 1,
    ].reduce((a, b) => a + b);
    return [
      measured(
        'store: create once',
        Math.abs(winners - 1) + Number(late) + Number(!kept),
        0,
        `of ${RACERS} that created one object at once ${winners} won, a later one ${late ? 'too' : 'did not'}, and the first one's bytes ${kept ? 'are' : 'are not'} there: ${store.url}`,
      ),
      measured('store: read back', wrong, 0, 'two bytes of four by their range, and the object in a listing'),
    ];
  } finally {
    await store.delete([key, other]);
  }
}
