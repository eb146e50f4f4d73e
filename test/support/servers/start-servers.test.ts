import { ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { Redis } from 'ioredis';
import { describe, expect, inject, test } from 'vitest';
import { testS3Client } from './s3-bucket.ts';
import { startServers } from './start-servers.ts';

const s3 = inject('s3');
const redis = inject('redis');
const silent = () => {};

describe.skipIf(s3 === undefined || redis === undefined)('servers that the environment names', () => {
  const named = {
    REDIS_URL: redis?.url,
    AWS_ENDPOINT_URL_S3: s3?.endpoint,
    AWS_ACCESS_KEY_ID: s3?.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3?.secretAccessKey,
    AWS_REGION: 'us-east-1',
  };

  test('are used, with a bucket that goes with all that is in it', async () => {
    const servers = await startServers(named, silent);
    expect(servers.redis).toEqual({ url: redis!.url });
    expect(servers.s3!.endpoint).toBe(s3!.endpoint);
    expect(servers.s3!.bucket).not.toBe(s3!.bucket);
    expect(servers.serversMissing).toBe('');
    const client = testS3Client(servers.s3!);
    const { bucket: Bucket } = servers.s3!;
    await client.send(new PutObjectCommand({ Bucket, Key: 'a/b c', Body: 'x' }));
    await servers[Symbol.asyncDispose]();
    await expect(client.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
    client.destroy();
  });

  test('are missing, with the reason, when they cannot be used', async () => {
    await using keyless = await startServers({ ...named, AWS_ACCESS_KEY_ID: undefined }, silent);
    expect(keyless.s3).toBeUndefined();
    expect(keyless.serversMissing).toContain('set AWS_ACCESS_KEY_ID');
    await using wrong = await startServers({ ...named, AWS_SECRET_ACCESS_KEY: 'wrong' }, silent);
    expect(wrong.s3).toBeUndefined();
    expect(wrong.serversMissing).toContain('SignatureDoesNotMatch');
    expect(wrong.redis).toEqual({ url: redis!.url });
  });
});

test('the servers of this run answer, or the reason why there are none is given', async () => {
  if (redis === undefined || s3 === undefined) {
    expect(inject('serversMissing')).not.toBe('');
    return;
  }
  const client = new Redis(redis.url);
  expect(await client.ping()).toBe('PONG');
  client.disconnect();
  const s3Client = testS3Client(s3);
  expect(
    (await s3Client.send(new ListObjectsV2Command({ Bucket: s3.bucket }))).$metadata.httpStatusCode,
  ).toBe(200);
  s3Client.destroy();
});
