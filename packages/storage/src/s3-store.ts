import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CopyObjectCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type GetObjectCommandOutput,
  type ListObjectsV2CommandOutput,
  type S3Client,
  type _Error as S3ObjectError,
} from '@aws-sdk/client-s3';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ByteRange, ObjectStore } from './object-store.ts';
import { readBody } from './s3-body.ts';
import { createS3Client } from './s3-client.ts';
import type { S3Action } from './s3-error-kinds.ts';
import { isAboutCredentials, s3Error } from './s3-error.ts';
import { copySource, decodeListedKey, fitsXml } from './s3-key.ts';
import { retryDelayMs, TRIES } from './s3-retries.ts';
import { parseS3Url } from './s3-url.ts';
import type { StoreAccess } from './store-access.ts';

/** Most keys that S3 deletes at a time. */
const DELETED_AT_A_TIME = 1000;

/**
 * Objects in S3 or a compatible server, below a prefix of a bucket, which must exist. Nothing is asked of the server yet.
 * @throws FilterscopeError `bad-url`.
 */
export function openS3Store(storeUrl: string, access: StoreAccess = {}): ObjectStore {
  const { bucket: Bucket, prefix: root, url } = parseS3Url(storeUrl);
  const payer = access.requesterPays === true ? { RequestPayer: 'requester' as const } : {};
  const encryption =
    access.kmsKeyId === undefined
      ? {}
      : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: access.kmsKeyId };
  const common = { Bucket, ...payer };
  let client = createS3Client(access);

  const actionOf = (verb: S3Action['verb'], key?: string): S3Action => ({
    verb,
    bucket: Bucket,
    url: key === undefined ? url : `${url}/${key}`,
    ...(access.endpoint !== undefined && { endpoint: access.endpoint }),
  });

  /** Sends a request; what goes wrong comes out in our words, and an abort with its own reason. */
  const send = async <Answer>(
    action: S3Action,
    request: (client: S3Client, options: { abortSignal?: AbortSignal }) => Promise<Answer>,
    signal?: AbortSignal,
  ): Promise<Answer> => {
    signal?.throwIfAborted();
    const used = client;
    try {
      return await request(used, signal ? { abortSignal: signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      const meant = s3Error(error, action);
      // A client keeps credentials without a date of expiry for good; a new one looks for them again.
      if (isAboutCredentials(meant) && client === used) client = createS3Client(access, used);
      throw action.verb === 'write' && triesOf(error) > 1 ? inDoubt(meant) : meant;
    }
  };

  async function* pages(prefix: string, delimiter: '/' | undefined, signal: AbortSignal | undefined) {
    const input = {
      ...common,
      Prefix: root + prefix,
      EncodingType: 'url' as const,
      ...(delimiter && { Delimiter: delimiter }),
    };
    for (let token: string | undefined; ;) {
      const command = new ListObjectsV2Command({ ...input, ...(token && { ContinuationToken: token }) });
      const page = await send(actionOf('list'), (client, options) => client.send(command, options), signal);
      yield { page, keyOf: keyReader(page, root) };
      token = page.NextContinuationToken;
      if (!page.IsTruncated || !token) return;
    }
  }

  const getOnce = async (key: string, range: ByteRange | undefined, signal: AbortSignal | undefined) => {
    const input = { ...common, Key: root + key };
    const action = actionOf('read', key);
    const command = new GetObjectCommand({
      ...input,
      ...(range && { Range: `bytes=${range.start}-${range.end}` }),
    });
    const answer = await send(
      action,
      (client, options) => client.send(command, options).catch(undefinedIfBeyondEnd),
      signal,
    );
    if (answer) return answer;
    const head = new HeadObjectCommand(input);
    const { ETag } = await send(action, (client, options) => client.send(head, options), signal);
    return { ETag, Body: undefined, ContentLength: 0 };
  };

  const get: ObjectStore['get'] = async (key, range, signal) => {
    for (let tries = 1; ; tries++) {
      const { Body, ContentLength, ETag } = await getOnce(key, range, signal);
      try {
        return { bytes: await readBody(streamOf(Body), ContentLength), etag: unquoted(ETag) };
      } catch (error) {
        // The SDK tries requests again, not bodies that break off.
        signal?.throwIfAborted();
        if (tries === TRIES) throw s3Error(error, actionOf('read', key));
        await pause(retryDelayMs(tries), signal);
      }
    }
  };

  return {
    url,

    async *list(prefix, signal) {
      for await (const { page, keyOf } of pages(prefix, undefined, signal)) {
        for (const { Key = '', Size = 0, ETag, LastModified = new Date(0) } of page.Contents ?? []) {
          const key = keyOf(Key);
          // The object that marks the prefix itself as a folder.
          if (key !== '') yield { key, sizeBytes: Size, etag: unquoted(ETag), modifiedAt: LastModified };
        }
      }
    },

    async *folders(prefix, signal) {
      for await (const { page, keyOf } of pages(prefix, '/', signal)) {
        for (const { Prefix = '' } of page.CommonPrefixes ?? []) {
          yield keyOf(Prefix).slice(prefix.length, -1);
        }
      }
    },

    get,

    async put(key, bytes, { ifAbsent = false, contentType, signal } = {}) {
      const command = new PutObjectCommand({
        ...common,
        ...encryption,
        Key: root + key,
        Body: bytes,
        ...(contentType !== undefined && { ContentType: contentType }),
        ...(ifAbsent && { IfNoneMatch: '*' }),
      });
      const refusal = await send(
        actionOf('write', key),
        (client, options) => client.send(command, options).then(() => undefined, refusalIfPresent),
        signal,
      );
      if (!refusal) return true;
      // An earlier try may have been the one that stored it, its answer lost.
      if (refusal.tries === 1) return false;
      const there = await get(key, undefined, signal).catch((error: unknown) => {
        signal?.throwIfAborted();
        throw inDoubt(error);
      });
      return Buffer.compare(there.bytes, bytes) === 0;
    },

    async copy(from, to, signal) {
      const CopySource = copySource(Bucket, root + from);
      const command = new CopyObjectCommand({ ...common, ...encryption, CopySource, Key: root + to });
      await send(actionOf('copy', from), (client, options) => client.send(command, options), signal);
    },

    async delete(keys, signal) {
      const named = keys.filter(fitsXml);
      for (let i = 0; i < named.length; i += DELETED_AT_A_TIME) {
        const Objects = named.slice(i, i + DELETED_AT_A_TIME).map((key) => ({ Key: root + key }));
        const command = new DeleteObjectsCommand({ ...common, Delete: { Objects, Quiet: true } });
        const request = (client: S3Client, options: object) => client.send(command, options);
        const { Errors = [] } = await send(actionOf('delete'), request, signal);
        const failed = Errors.find(({ Code }) => Code !== 'NoSuchKey');
        if (failed) throw deletionError(failed, actionOf('delete', failed.Key?.slice(root.length)));
      }
      for (const key of keys.filter((key) => !fitsXml(key))) {
        const command = new DeleteObjectCommand({ ...common, Key: root + key });
        await send(actionOf('delete', key), (client, options) => client.send(command, options), signal);
      }
    },

    [Symbol.asyncDispose]() {
      client.destroy();
      return Promise.resolve();
    },
  };
}

/** What turns names of a page into keys below `root`. */
function keyReader({ EncodingType }: ListObjectsV2CommandOutput, root: string): (name: string) => string {
  const decode = EncodingType === 'url' ? decodeListedKey : (name: string) => name;
  return (name) => decode(name).slice(root.length);
}

/** An object's ETag as it is without HTTP's quotes, which not every server sends everywhere. */
function unquoted(etag: string | undefined): string {
  return etag?.replace(/^"(.*)"$/, '$1') ?? '';
}

/** A range that begins at the end of the object or behind it, as every range of an empty object does. */
function undefinedIfBeyondEnd(error: unknown): undefined {
  if (!(error instanceof Error && error.name === 'InvalidRange')) throw error;
}

/** How often a conditional put was tried before it was told that something is there. */
function refusalIfPresent(error: unknown): { tries: number } {
  if (error instanceof Error && error.name === 'PreconditionFailed') return { tries: triesOf(error) };
  throw error;
}

/** How often the SDK sent a request that failed. */
function triesOf(error: unknown): number {
  return (error as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1;
}

/** A put that was refused after a first try without an answer may still have been stored: a refusal would say that it was not. */
function inDoubt(error: unknown): unknown {
  if (!(error instanceof FilterscopeError)) return error;
  const message = `${error.message}; an earlier try of this put may have been stored`;
  return new FilterscopeError('store-unavailable', message, { class: 'transient', cause: error });
}

/** On Node the SDK's body is a stream; its type covers browsers too. */
function streamOf(body: GetObjectCommandOutput['Body']): AsyncIterable<Uint8Array> {
  return body instanceof Readable ? body : Readable.from([]);
}

/** One of the errors of a deletion, which come in an answer that itself is well. */
function deletionError({ Code = 'Unknown', Message = '' }: S3ObjectError, action: S3Action) {
  return s3Error(Object.assign(new Error(Message), { name: Code, Code, $metadata: {} }), action);
}

/** Waits; an abort ends it with the signal's reason. */
async function pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(delayMs, undefined, signal ? { signal } : {}).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
}
