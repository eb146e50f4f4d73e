import { fileURLToPath } from 'node:url';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { openFolderStore } from './folder-store.ts';
import type { ObjectStore } from './object-store.ts';
import type { StoreAccess } from './store-access.ts';

/**
 * The store at a URL: `s3://bucket/prefix`, or a folder, as a path or `file://`. Opening it reaches no server.
 * @throws FilterscopeError `unsupported-url` for any other scheme, `bad-url` for one that is not right.
 */
export async function openStore(url: string, access: StoreAccess = {}): Promise<ObjectStore> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 's3') {
    // The SDK takes a fifth of a second to load, which questions to a folder need not wait for.
    const { openS3Store } = await import('./s3-store.ts');
    return openS3Store(url, access);
  }
  if (/^s3:/i.test(url)) throw new FilterscopeError('bad-url', 'an S3 URL is s3://bucket/prefix');
  if (scheme === 'file') return openFolderStore(fileURLToPath(url));
  if (scheme !== undefined) {
    // The URL is not repeated: there may be a password in it.
    const message = `only folders and s3://bucket/prefix can be read and written, not ${scheme}://`;
    throw new FilterscopeError('unsupported-url', message);
  }
  return openFolderStore(url);
}
