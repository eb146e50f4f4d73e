import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { startS3FaultProxy, type S3FaultProxy, type S3Request } from './s3-fault-proxy.ts';
import { testS3Client } from './servers/s3-bucket.ts';

const s3 = inject('s3');
const BODY = 'ten bytes.'.repeat(1_000);

describe.skipIf(s3 === undefined)('with a real S3 behind it', () => {
  const Bucket = s3?.bucket;
  let proxy: S3FaultProxy;
  let direct: S3Client;
  let cleanUp: AsyncDisposableStack;
  let Key: string;

  beforeEach(async ({ task }) => {
    cleanUp = new AsyncDisposableStack();
    proxy = cleanUp.use(await startS3FaultProxy(s3!.endpoint));
    direct = cleanUp.adopt(testS3Client(s3!), (client) => client.destroy());
    Key = `s3-fault-proxy/${task.id}/a key with + and %`;
    await direct.send(new PutObjectCommand({ Bucket, Key, Body: BODY }));
  });
  afterEach(() => cleanUp.disposeAsync());

  test('without a fault signed requests pass, and S3 accepts their signatures', async () => {
    const seen: S3Request[] = [];
    proxy.decide((request) => {
      seen.push(request);
      return 'pass';
    });
    const client = through(1);
    await client.send(new PutObjectCommand({ Bucket, Key, Body: 'other' }));
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    expect(await Body!.transformToString()).toBe('other');
    const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket, Key }));
    expect(ContentLength).toBe(5);
    expect(seen.map(({ number, method }) => `${number} ${method}`)).toEqual(['0 PUT', '1 GET', '2 HEAD']);
    expect(seen[0].path).toContain(`/${Bucket}/s3-fault-proxy/`);
    expect(`http://${seen[0].headers.host}`).toBe(proxy.endpoint);
  });

  test('wrong keys are refused by S3, so it does look at the signatures that the proxy forwards', async () => {
    const client = testS3Client({ ...s3!, endpoint: proxy.endpoint, secretAccessKey: 'wrong' });
    await expect(client.send(new GetObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
    client.destroy();
  });

  test('an injected error is answered as S3 would, and S3 never hears of the request', async () => {
    proxy.decide(() => ({ status: 503, code: 'SlowDown' }));
    const put = through(1).send(new PutObjectCommand({ Bucket, Key, Body: 'other' }));
    await expect(put).rejects.toMatchObject({ name: 'SlowDown', $metadata: { httpStatusCode: 503 } });
    proxy.decide(() => ({ status: 403, code: 'AccessDenied' }));
    const get = through(1).send(new GetObjectCommand({ Bucket, Key }));
    await expect(get).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } });
    const head = through(1).send(new HeadObjectCommand({ Bucket, Key }));
    await expect(head).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });
    expect(proxy.requests).toBe(3);
    expect(await stored()).toBe(BODY);
  });

  test('a fault by number heals when the client asks again', async () => {
    proxy.decide(({ number }) => (number === 0 ? { status: 503, code: 'SlowDown' } : 'pass'));
    await through(3).send(new PutObjectCommand({ Bucket, Key, Body: 'second try' }));
    expect(proxy.requests).toBe(2);
    expect(await stored()).toBe('second try');
  });

  test('a cut body ends in the middle', async () => {
    proxy.decide(() => 'cut-body');
    const { Body, ContentLength } = await through(1).send(new GetObjectCommand({ Bucket, Key }));
    expect(ContentLength).toBe(BODY.length);
    await expect(Body!.transformToByteArray()).rejects.toThrow('aborted');
    proxy.heal();
    const { Body: whole } = await through(1).send(new GetObjectCommand({ Bucket, Key }));
    expect(await whole!.transformToString()).toBe(BODY);
  });

  test('a reset after the put leaves the object stored and the client with an error', async () => {
    proxy.decide(() => 'reset-after');
    const put = through(1).send(new PutObjectCommand({ Bucket, Key, Body: 'stored all the same' }));
    await expect(put).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(await stored()).toBe('stored all the same');
  });

  test('a held request is carried out when it is let go, though its client has given up', async () => {
    const held = Promise.withResolvers<'pass'>();
    const arrived = Promise.withResolvers<void>();
    proxy.decide(() => {
      arrived.resolve();
      return held.promise;
    });
    const giveUp = new AbortController();
    const put = through(1).send(new PutObjectCommand({ Bucket, Key, Body: 'late' }), {
      abortSignal: giveUp.signal,
    });
    await arrived.promise;
    giveUp.abort();
    await expect(put).rejects.toMatchObject({ name: 'AbortError' });
    expect(await stored()).toBe(BODY);
    held.resolve('pass');
    await expect.poll(stored).toBe('late');
  });

  function through(maxAttempts: number): S3Client {
    const client = testS3Client({ ...s3!, endpoint: proxy.endpoint }, maxAttempts);
    return cleanUp.adopt(client, () => client.destroy());
  }

  async function stored(): Promise<string> {
    const { Body } = await direct.send(new GetObjectCommand({ Bucket, Key }));
    return Body!.transformToString();
  }
});

test('an S3 that is not there is a closed connection', async () => {
  await using nobody = await startS3FaultProxy('http://127.0.0.1:9');
  await expect(fetch(nobody.endpoint)).rejects.toThrow('fetch failed');
});

test('https is refused, since the proxy could not read it', async () => {
  await expect(startS3FaultProxy('https://127.0.0.1:9')).rejects.toThrow('http only');
});
