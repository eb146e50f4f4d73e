import { hash } from 'node:crypto';
import { hasImageName } from '@filterscope/imaging/image-name';

/** SHA-256 of the key's UTF-8 bytes: its place in the manifest's order. */
export function orderOf(key: string): Buffer {
  return hash('sha256', key, 'buffer');
}

/** The first folder of a key below the dataset's URL (the ImageFolder convention); null where there is none. */
export function classOf(key: string): string | null {
  const slash = key.indexOf('/');
  return slash > 0 ? key.slice(0, slash) : null;
}

/** Why a key is not looked at, or null for one that is. */
export function skipCodeOf(key: string): 'not-image-name' | null {
  return key.endsWith('/') || !hasImageName(key) ? 'not-image-name' : null;
}
