import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from './object-store.ts';

export async function objectExists(store: ObjectStore, key: string, signal?: AbortSignal): Promise<boolean> {
  try {
    await store.get(key, { start: 0, end: 0 }, signal);
    return true;
  } catch (error) {
    if (error instanceof FilterscopeError && error.code === 'object-missing') return false;
    throw error;
  }
}
