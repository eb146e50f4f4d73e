/** One object of a store. */
export interface ObjectInfo {
  /** Path below the store's URL, `/` between folders; any Unicode text, at most 1,024 bytes in S3. */
  readonly key: string;
  readonly sizeBytes: number;
  /** Changes when the content does. S3's ETag; for a file, its size and time of modification. */
  readonly etag: string;
  readonly modifiedAt: Date;
}

/** Bytes `start … end` of an object, both included, as in HTTP. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Where bytes live: objects under keys below one URL. Owned by the packages that use it; each adapter passes the suite
 * in `test/contract/object-store.ts`. Every method rejects with the signal's reason when it is aborted, with a
 * `transient` FilterscopeError when the store is out of reach or its credentials do not hold, and with a `permanent` one when
 * it refuses.
 */
export interface ObjectStore extends AsyncDisposable {
  /** Without a `/` at the end, for example `s3://bucket/prefix` or an absolute path. */
  readonly url: string;
  /** Objects whose key begins with `prefix`, in no particular order. */
  list(prefix: string, signal?: AbortSignal): AsyncIterable<ObjectInfo>;
  /** Names of the folders directly below `prefix` (empty, or ending in `/`), without their `/`. */
  folders(prefix: string, signal?: AbortSignal): AsyncIterable<string>;
  /**
   * An object's bytes and what it is now. Its ETag belongs to the bytes that were read.
   * Never fewer bytes than there are. A range that begins behind the last byte gives none.
   * @throws FilterscopeError `object-missing`, `object-forbidden`; `isObjectFault` tells what is wrong with this object
   * alone from what is wrong with the store.
   */
  get(key: string, range?: ByteRange, signal?: AbortSignal): Promise<{ bytes: Uint8Array; etag: string }>;
  /**
   * Stores an object whole or not at all, durably: once it resolves, a crash does not lose it. Replaces what was there,
   * or with `ifAbsent` leaves that alone.
   * @returns whether it was stored; `false` only with `ifAbsent`, and of any number of racers one is told `true`. Where an
   * adapter tries again by itself after an answer was lost, an object that is there with the very bytes of this put counts
   * as stored by it: racers that put the same bytes may then both be told `true`.
   * @throws FilterscopeError `store-full` or a `permanent` one when nothing was stored; after another `transient` one, or
   * when it is aborted, it may have been.
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<boolean>;
  /** Copies an object without moving its bytes through this process, where the store can. Replaces what was there. */
  copy(from: string, to: string, signal?: AbortSignal): Promise<void>;
  /** Where the object lies on this machine's disk; absent for stores that are elsewhere. */
  localPath?(key: string): string;
  /** Writes an object to a new file of this machine; absent where `get` does as well. */
  download?(key: string, path: string, signal?: AbortSignal): Promise<void>;
  /** Deletes objects; a missing one is no error. */
  delete(keys: readonly string[], signal?: AbortSignal): Promise<void>;
}

export interface PutOptions {
  readonly ifAbsent?: boolean;
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}
