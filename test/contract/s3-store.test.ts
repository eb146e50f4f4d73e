import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { isObjectFault } from '@filterscope/storage/object-fault';
import { objectExists } from '@filterscope/storage/object-exists';
import { openStore } from '@filterscope/storage/open-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { StoreAccess } from '@filterscope/storage/store-access';
import { beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { freePorts } from '../support/servers/free-ports.ts';
import type { S3Address } from '../support/servers/addresses.ts';
import { startS3FaultProxy, type S3Request } from '../support/s3-fault-proxy.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { objectStoreContract } from './object-store.ts';

const s3 = inject('s3');
const newFolder = temporaryFolders();
const bytes = (text: string) => new TextEncoder().encode(text);
const text = ({ bytes }: { bytes: Uint8Array }) => new TextDecoder().decode(bytes);
const keysOf = async (store: ObjectStore) =>
  (await Array.fromAsync(store.list(''), ({ key }) => key)).toSorted();

describe.skipIf(s3 === undefined)('the S3 store', () => {
  const { endpoint, bucket, region, accessKeyId, secretAccessKey } = s3 ?? ({} as S3Address);

  beforeAll(() => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', accessKeyId);
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', secretAccessKey);
    vi.stubEnv('AWS_REGION', region);
    return () => vi.unstubAllEnvs();
  });

  const open = (access: StoreAccess = {}) =>
    openStore(`s3://${bucket}/contract/${randomUUID()}`, { endpoint, ...access });

  objectStoreContract('the S3 store', open);

  test('takes and gives back keys of any kind', async () => {
    await using store = await open();
    const keys = ['/lead', 'a//b', './x', 'a/../b', 'folder/', ' a ', 'cr\rx', '\u0001', '*()!~', 'ä/𝄞'];
    for (const key of keys) {
      await store.put(key, bytes(key));
      await store.copy(key, `copy of ${key}`);
    }
    const copies = keys.map((key) => `copy of ${key}`);
    expect(await keysOf(store)).toEqual([...keys, ...copies].toSorted());
    for (const key of [...keys, ...copies]) expect(`copy of ${text(await store.get(key))}`).toContain(key);
    await store.delete([...keys, ...copies, 'never there', '\u0002']);
    expect(await keysOf(store)).toEqual([]);
  });

  test('deletes more keys than S3 takes at a time', async () => {
    await using store = await open();
    const keys = Array.from({ length: 1005 }, (_, i) => `many/${i}`);
    await Promise.all([keys[0], keys[999], keys[1004]].map((key) => store.put(key, bytes(key))));
    await store.delete(keys);
    expect(await keysOf(store)).toEqual([]);
  });

  test('a store at the top of a bucket and one below it see the same objects', async () => {
    await using top = await openStore(`s3://${bucket}/`, { endpoint });
    const folder = `contract/${randomUUID()}`;
    await using below = await openStore(`s3://${bucket}/${folder}/`, { endpoint });
    expect([top.url, below.url]).toEqual([`s3://${bucket}`, `s3://${bucket}/${folder}`]);
    await top.put(`${folder}/`, new Uint8Array());
    await top.put(`${folder}/a`, bytes('a'));
    expect(await keysOf(below)).toEqual(['a']);
    expect(text(await below.get('a'))).toBe('a');
  });

  test('an empty object has no bytes in any range, and exists', async () => {
    await using store = await open();
    await store.put('empty', new Uint8Array());
    await store.put('three', bytes('abc'));
    const { etag } = await store.get('empty');
    expect(etag).toMatch(/^[^"]+$/);
    expect(await store.get('empty', { start: 0, end: 0 })).toEqual({ bytes: new Uint8Array(), etag });
    expect((await store.get('three', { start: 3, end: 9 })).bytes).toHaveLength(0);
    expect([await objectExists(store, 'empty'), await objectExists(store, 'none')]).toEqual([true, false]);
  });

  test('a missing bucket is named, and is no image’s fault', async () => {
    await using store = await openStore('s3://there-is-no-such-bucket/x', { endpoint });
    const attempts = [store.get('a'), store.put('a', bytes('a')), keysOf(store), store.delete(['a'])];
    for (const { reason } of (await Promise.allSettled(attempts)) as PromiseRejectedResult[]) {
      expect(reason).toMatchObject({ code: 'bucket-missing', class: 'permanent' });
      expect(reason.message).toContain('there-is-no-such-bucket');
      expect(isObjectFault(reason)).toBe(false);
    }
  });

  test.each([
    ['a wrong secret', 'AWS_SECRET_ACCESS_KEY', 'WRONG-SECRET'],
    ['an unknown access key', 'AWS_ACCESS_KEY_ID', 'WRONG-KEY'],
  ])('%s is said, not repeated, and would not fail an image', async (_, variable, value) => {
    const right = process.env[variable];
    vi.stubEnv(variable, value);
    try {
      await using store = await open();
      const refused = await store.get('a').catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'bad-credentials', class: 'transient' });
      const shown = inspect(refused, { depth: 10, showHidden: true });
      for (const secret of [accessKeyId, secretAccessKey, 'WRONG']) expect(shown).not.toContain(secret);
      // The environment of a process can change: the store looks again.
      vi.stubEnv(variable, right);
      await store.put('a', bytes('a'));
    } finally {
      vi.stubEnv(variable, right);
    }
  });

  test('credentials that expire in a file are read again when they are new', async () => {
    const file = join(await newFolder(), 'credentials');
    const write = (secret: string) =>
      writeFile(
        file,
        `[mine]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secret}\nregion = ${region}\n`,
      );
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', file);
    await write('old');
    await using store = await open({ profile: 'mine' });
    await expect(store.put('a', bytes('a'))).rejects.toMatchObject({ code: 'bad-credentials' });
    await write(secretAccessKey);
    await store.put('a', bytes('a'));
    expect(text(await store.get('a'))).toBe('a');
  });

  test('no credentials at all, or a profile that is not there, is said', async () => {
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', join(await newFolder(), 'none'));
    await using store = await open({ profile: 'nobody' });
    await expect(store.get('a')).rejects.toMatchObject({ code: 'no-credentials', class: 'transient' });
  });

  describe('through a faulty network', () => {
    test('bodies that are cut short are fetched again, and never taken for whole', async () => {
      await using proxy = await startS3FaultProxy(endpoint);
      await using store = await open({ endpoint: proxy.endpoint });
      const large = crypto.getRandomValues(new Uint8Array(50_000));
      await store.put('large', large);
      const first = proxy.requests;
      proxy.decide(({ number }) => (number < first + 3 ? 'cut-body' : 'pass'));
      expect((await store.get('large')).bytes).toEqual(large);
      expect(proxy.requests).toBe(first + 4);
    });

    test('a listing that is cut short is listed again', async () => {
      await using proxy = await startS3FaultProxy(endpoint);
      await using store = await open({ endpoint: proxy.endpoint });
      await Promise.all(Array.from({ length: 30 }, (_, i) => store.put(`${i}`, bytes('x'))));
      const first = proxy.requests;
      proxy.decide(({ number }) => (number < first + 2 ? 'cut-body' : 'pass'));
      expect(await keysOf(store)).toHaveLength(30);
    });

    test('every fifth request refused with SlowDown is not noticed', async () => {
      await using proxy = await startS3FaultProxy(endpoint, ({ number }) =>
        number % 5 === 0 ? { status: 503, code: 'SlowDown' } : 'pass',
      );
      await using store = await open({ endpoint: proxy.endpoint });
      const keys = Array.from({ length: 200 }, (_, i) => `${i}`);
      await Promise.all(keys.map((key) => store.put(key, bytes(key), { ifAbsent: true })));
      expect(await Promise.all(keys.map(async (key) => text(await store.get(key))))).toEqual(keys);
      expect(await keysOf(store)).toEqual(keys.toSorted());
      await store.delete(keys);
    });

    test('a conditional put whose answer is lost knows its own object', async () => {
      await using proxy = await startS3FaultProxy(endpoint);
      await using store = await open({ endpoint: proxy.endpoint });
      const resetFirst = () => {
        const first = proxy.requests;
        proxy.decide(({ number }) => (number === first ? 'reset-after' : 'pass'));
      };
      resetFirst();
      expect(await store.put('commit', bytes('mine'), { ifAbsent: true })).toBe(true);
      resetFirst();
      expect(await store.put('commit', bytes('theirs'), { ifAbsent: true })).toBe(false);
      // The same bytes, but told at once that they were there before.
      expect(await store.put('commit', bytes('mine'), { ifAbsent: true })).toBe(false);
      expect(text(await store.get('commit'))).toBe('mine');
    });

    test('a put that is refused after an answer was lost is in doubt, not refused', async () => {
      await using proxy = await startS3FaultProxy(endpoint);
      await using store = await open({ endpoint: proxy.endpoint });
      const doubtful = { code: 'store-unavailable', class: 'transient' };
      const loseFirstAnd = (refuse: (request: S3Request) => boolean) => {
        const first = proxy.requests;
        proxy.decide((request) => {
          if (request.number === first) return 'reset-after';
          return refuse(request) ? { status: 403, code: 'AccessDenied' } : 'pass';
        });
      };
      loseFirstAnd(() => true);
      await expect(store.put('a', bytes('a'))).rejects.toMatchObject(doubtful);
      proxy.heal();
      expect(text(await store.get('a'))).toBe('a');
      loseFirstAnd(({ method }) => method === 'GET');
      await expect(store.put('b', bytes('b'), { ifAbsent: true })).rejects.toMatchObject(doubtful);
    });

    test('two conditional writers at once: whoever is told of a conflict tries again', async () => {
      await using proxy = await startS3FaultProxy(endpoint, ({ number }) =>
        number === 0 ? { status: 409, code: 'ConditionalRequestConflict' } : 'pass',
      );
      await using store = await open({ endpoint: proxy.endpoint });
      expect(await store.put('commit', bytes('mine'), { ifAbsent: true })).toBe(true);
    });

    test('expired credentials are an outage that ends', async () => {
      await using proxy = await startS3FaultProxy(endpoint, () => ({ status: 400, code: 'ExpiredToken' }));
      await using store = await open({ endpoint: proxy.endpoint });
      const attempts = [() => store.get('a'), () => store.put('a', bytes('a')), () => keysOf(store)];
      for (const attempt of attempts) {
        await expect(attempt()).rejects.toMatchObject({ code: 'expired-credentials', class: 'transient' });
      }
      proxy.heal();
      await store.put('a', bytes('a'));
      expect(await keysOf(store)).toEqual(['a']);
    });

    test('what may not be listed, and one key that may not be read, are said', async () => {
      await using proxy = await startS3FaultProxy(endpoint, () => ({ status: 403, code: 'AccessDenied' }));
      await using store = await open({ endpoint: proxy.endpoint });
      await expect(keysOf(store)).rejects.toThrow(/s3:ListBucket/);
      const forbidden = await store.get('a').catch((error: unknown) => error);
      expect(forbidden).toMatchObject({ code: 'object-forbidden' });
      expect(isObjectFault(forbidden)).toBe(true);
    });

    test('asks for encryption and says who pays', async () => {
      const seen: S3Request[] = [];
      await using proxy = await startS3FaultProxy(endpoint, (request) => {
        seen.push(request);
        return { status: 400, code: 'KMS.NotFoundException' };
      });
      const access = { endpoint: proxy.endpoint, kmsKeyId: 'alias/mine', requesterPays: true };
      await using store = await open(access);
      const attempts = [
        () => store.put('a', bytes('a')),
        () => store.copy('a', 'b'),
        () => store.get('a'),
        () => keysOf(store),
        () => store.delete(['a']),
      ];
      for (const attempt of attempts) {
        await expect(attempt()).rejects.toMatchObject({ code: 'bad-kms-key' });
      }
      const key = seen.map(({ headers }) => headers['x-amz-server-side-encryption-aws-kms-key-id']);
      expect(key.filter((id) => id === 'alias/mine')).toHaveLength(2);
      expect(seen.map(({ headers }) => headers['x-amz-request-payer'])).toEqual(
        attempts.map(() => 'requester'),
      );
    });

    test('an abort ends one request with its own reason and leaves the others', async () => {
      const arrived = Promise.withResolvers<void>();
      const release = Promise.withResolvers<'pass'>();
      await using proxy = await startS3FaultProxy(endpoint);
      await using store = await open({ endpoint: proxy.endpoint });
      await store.put('a', bytes('a'));
      const first = proxy.requests;
      proxy.decide(({ number }) => {
        if (number === first + 1) arrived.resolve();
        return release.promise;
      });
      const stopped = new AbortController();
      const one = store.get('a', undefined, stopped.signal);
      const other = store.get('a', undefined, new AbortController().signal);
      await arrived.promise;
      stopped.abort(new Error('stop now'));
      await expect(one).rejects.toThrow('stop now');
      release.resolve('pass');
      expect(text(await other)).toBe('a');
    });

    test('an abort while it waits to try again ends the waiting', async () => {
      const stopped = new AbortController();
      await using proxy = await startS3FaultProxy(endpoint, ({ number }) => {
        if (number === 1) stopped.abort(new Error('stop now'));
        return { status: 503, code: 'SlowDown' };
      });
      await using store = await open({ endpoint: proxy.endpoint });
      await expect(store.get('a', undefined, stopped.signal)).rejects.toThrow('stop now');
      expect(proxy.requests).toBe(2);
    });

    test('a hundred requests under one signal give no warning', async () => {
      const warnings: Error[] = [];
      const listen = (warning: Error) => void warnings.push(warning);
      process.on('warning', listen);
      try {
        await using store = await open();
        const { signal } = new AbortController();
        const keys = Array.from({ length: 100 }, (_, i) => `${i}`);
        await Promise.all(keys.map((key) => store.put(key, bytes(key), { signal })));
        await Promise.all(keys.map((key) => store.get(key, undefined, signal)));
        await new Promise(setImmediate);
        expect(warnings).toEqual([]);
      } finally {
        process.off('warning', listen);
      }
    });
  });

  describe('at a server that is not quite S3', () => {
    test('a key that could not be deleted is named', async () => {
      const answer = `<DeleteResult><Error><Key>x/a</Key><Code>AccessDenied</Code><Message>no</Message></Error></DeleteResult>`;
      await using server = await startAnswering((response) => response.end(answer));
      await using store = await openStore(`s3://${bucket}/x`, { endpoint: server.endpoint });
      const failed = store.delete(['a', 'b']);
      await expect(failed).rejects.toMatchObject({ code: 'object-forbidden' });
      await expect(failed).rejects.toThrow(`s3://${bucket}/x/a`);
    });
  });

  describe.concurrent('when it does not get better', () => {
    test('a server that is not there is an outage, known in seconds', async () => {
      const [port] = await freePorts(1);
      await using store = await open({ endpoint: `http://127.0.0.1:${port}` });
      const started = performance.now();
      await expect(store.get('a')).rejects.toMatchObject({ code: 'store-unavailable', class: 'transient' });
      expect(performance.now() - started).toBeLessThan(15_000);
    });

    test('bodies that are always cut short are an outage', async () => {
      await using store = await open();
      await store.put('large', new Uint8Array(50_000));
      await using proxy = await startS3FaultProxy(endpoint, () => 'cut-body');
      await using faulty = await openStore(store.url, { endpoint: proxy.endpoint });
      await expect(faulty.get('large')).rejects.toMatchObject({
        code: 'store-unavailable',
        class: 'transient',
      });
    });

    test('a proxy that finds no server behind it does not make images missing', async () => {
      await using server = await startAnswering((response) => {
        response.writeHead(404, { 'content-type': 'text/html' }).end('<html>default backend</html>');
      });
      await using store = await openStore(`s3://${bucket}/x`, { endpoint: server.endpoint });
      await expect(store.get('a')).rejects.toMatchObject({ code: 'store-unavailable', class: 'transient' });
    });
  });
});

async function startAnswering(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume().once('end', () => answer(response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  return {
    endpoint: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
