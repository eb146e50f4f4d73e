import type { ObjectStore } from '@filterscope/storage/object-store';

/** What happens to a put: it is stored, fails before it is stored, or is stored and then fails (its answer is lost). */
export type PutFate = 'stored' | 'refused' | 'answer-lost';

/** A store whose puts can fail, as in a crash or an outage. `fate` is asked with the number of the put, from 0, and its key. */
export function failingStore(store: ObjectStore, fate: (put: number, key: string) => PutFate): ObjectStore {
  let puts = 0;
  return {
    ...store,
    async put(key, bytes, options) {
      const what = fate(puts++, key);
      if (what === 'refused') throw new Error('the put was refused');
      const stored = await store.put(key, bytes, options);
      if (what === 'answer-lost') throw new Error('the answer to the put was lost');
      return stored;
    },
  };
}

/** A store that can write nothing more and delete nothing from a moment on: what a process that is killed then leaves behind. */
export function dyingStore(store: ObjectStore, lastPut: number): ObjectStore {
  let puts = 0;
  const dead = () => puts > lastPut;
  return {
    ...store,
    async put(key, bytes, options) {
      if (puts++ >= lastPut) throw new Error('dead');
      return store.put(key, bytes, options);
    },
    async delete(keys, signal) {
      if (dead()) throw new Error('dead');
      return store.delete(keys, signal);
    },
  };
}
