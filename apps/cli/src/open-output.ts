import type { ObjectStore } from '@filterscope/storage/object-store';
import { openStore } from '@filterscope/storage/open-store';
import type { StoreAccess } from '@filterscope/storage/store-access';
import type { Context } from './context.ts';

/** A store, reached as the environment says where `access` does not. @throws FilterscopeError `unsupported-url`, `bad-url`. */
export async function openStoreHere(
  { environment: { s3Endpoint } }: Context,
  url: string,
  access: StoreAccess,
): Promise<ObjectStore> {
  return openStore(url, { ...(s3Endpoint !== undefined && { endpoint: s3Endpoint }), ...access });
}

/** The store that runs are kept in. @throws FilterscopeError `unsupported-url`, `bad-url`. */
export async function openOutput(
  context: Context,
  url: string,
  kmsKeyId: string | null = null,
): Promise<ObjectStore> {
  return openStoreHere(context, url, kmsKeyId === null ? {} : { kmsKeyId });
}
