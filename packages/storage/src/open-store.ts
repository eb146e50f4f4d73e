import { fileURLToPath } from 'node:url';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { openFolderStore } from './folder-store.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * The store at a URL: a folder, as a path or `file://`.
 * @throws FilterscopeError `unsupported-url` for any other scheme.
 */
export function openStore(url: string): ObjectStore {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 'file') return openFolderStore(fileURLToPath(url));
  if (scheme !== undefined) {
    throw new FilterscopeError(
      'unsupported-url',
      `${url}: only folders can be read and written, not ${scheme}://`,
    );
  }
  return openFolderStore(url);
}
