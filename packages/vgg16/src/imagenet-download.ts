import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { fetchRange, type RangeResponse } from './fetch-range.ts';

/** Keras's VGG16 without its classifier, 58.9 MB, where `keras.applications.VGG16` fetches it. */
export const IMAGENET_URL =
  'https://storage.googleapis.com/tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5';

/** Its MD5, as in Keras's source (`keras/src/applications/vgg16.py`). */
export const IMAGENET_MD5 = '6d6bbae143d832006294945121d1f1fc';

/** Its name in the cache. */
export const IMAGENET_FILE = 'vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5';

export interface FetchImagenetOptions {
  readonly url?: string;
  /** Expected MD5, in lower-case hexadecimal. */
  readonly md5?: string;
  /** Made when it is not there. */
  readonly cacheDirectory: string;
  readonly signal?: AbortSignal;
  /** Bytes there so far and altogether, `null` when the server does not say. */
  readonly onProgress?: (received: number, total: number | null) => void;
  /** Longest wait for the server's answer to begin. */
  readonly connectTimeoutMs?: number;
  /** Longest wait for more bytes. */
  readonly stallTimeoutMs?: number;
}

/**
 * The official ImageNet weights as a file: from the cache, else downloaded, checked and put there by an atomic rename. What
 * an interrupted download leaves is taken up by the next. Each download writes a file of its own, so that
 * processes downloading at once do no harm; all end with the same file.
 * @throws FilterscopeError `weights-unavailable` (transient) without an answer in time, on a refusal and when the
 * connection breaks; `checksum-mismatch` when the bytes are not the expected ones, which are then deleted;
 * `cache-unwritable`. On abort, the signal's reason.
 */
export async function fetchImagenetWeights(options: FetchImagenetOptions): Promise<{ path: string }> {
  const { cacheDirectory, md5 = IMAGENET_MD5, signal, stallTimeoutMs = 30_000 } = options;
  signal?.throwIfAborted();
  const path = join(cacheDirectory, IMAGENET_FILE);
  if (await exists(path)) return { path };
  const part = join(cacheDirectory, `${IMAGENET_FILE}.${randomUUID()}.part`);
  const resumed = await onDisk(cacheDirectory, async () => {
    await mkdir(cacheDirectory, { recursive: true });
    return claimPart(cacheDirectory, part, 2 * stallTimeoutMs);
  });
  try {
    await download(part, options);
    let found = await md5Of(part, signal);
    if (found !== md5 && resumed) {
      await rm(part); // what was left may have been of another file
      await download(part, options);
      found = await md5Of(part, signal);
    }
    if (found !== md5) {
      await rm(part);
      const url = options.url ?? IMAGENET_URL;
      const message = `what ${url} sent has MD5 ${found} instead of ${md5}: it was deleted; try another network`;
      throw new FilterscopeError('checksum-mismatch', message);
    }
    await onDisk(cacheDirectory, () => rename(part, path));
  } catch (error) {
    await rename(part, join(cacheDirectory, `${IMAGENET_FILE}.part`)).catch(() => {}); // nothing left, or the disk's trouble
    throw error;
  }
  return { path };
}

/**
 * Makes what an earlier download left our own, by renaming it: of several processes one succeeds. Left is what is named so,
 * and what has not grown for `idleMs`, because its process was killed.
 */
async function claimPart(directory: string, own: string, idleMs: number): Promise<boolean> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(`${IMAGENET_FILE}.`) || !name.endsWith('.part')) continue;
    const left = join(directory, name);
    try {
      if (name !== `${IMAGENET_FILE}.part` && Date.now() - (await stat(left)).mtimeMs < idleMs) continue;
      await rename(left, own);
      return true;
    } catch {
      // another process was faster
    }
  }
  return false;
}

/** Appends what is missing to a part, or writes it anew when the server does not send ranges. */
async function download(part: string, options: FetchImagenetOptions): Promise<void> {
  const { url = IMAGENET_URL, cacheDirectory, connectTimeoutMs = 4000, stallTimeoutMs = 30_000 } = options;
  const from = (await exists(part)) ? (await stat(part)).size : 0;
  const timeouts = { connectTimeoutMs, stallTimeoutMs };
  const response = await fetchRange(url, { from, ...timeouts, ...signalOf(options) });
  const file = await onDisk(cacheDirectory, () => open(part, response.from === 0 ? 'w' : 'a'));
  try {
    await append(file, response, options);
    await onDisk(cacheDirectory, () => file.sync());
  } finally {
    await file.close();
  }
}

async function append(
  file: FileHandle,
  response: RangeResponse,
  options: FetchImagenetOptions,
): Promise<void> {
  let received = response.from;
  options.onProgress?.(received, response.total);
  for await (const chunk of response.chunks) {
    await onDisk(options.cacheDirectory, () => file.appendFile(chunk));
    received += chunk.length;
    options.onProgress?.(received, response.total);
  }
}

async function md5Of(path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = createHash('md5');
  await pipeline(
    createReadStream(path, { highWaterMark: 1 << 20 }),
    hash,
    signal === undefined ? {} : { signal },
  );
  return hash.digest('hex');
}

function signalOf({ signal }: FetchImagenetOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function onDisk<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `the weights cannot be kept in ${directory} (${reason}): make room there or choose another cache`;
    throw new FilterscopeError('cache-unwritable', message, { cause });
  }
}
