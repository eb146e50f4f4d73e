import { randomUUID } from 'node:crypto';
import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import type { S3Address } from './addresses.ts';

/**
 * A client of the tests' S3 server: path style, and no checksums that compatible servers do not know.
 * @param maxAttempts how often it sends a request at most
 */
export function testS3Client(server: Omit<S3Address, 'bucket'>, maxAttempts = 3): S3Client {
  const { endpoint, region, accessKeyId, secretAccessKey } = server;
  return new S3Client({
    endpoint,
    region,
    maxAttempts,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Makes a bucket with a name of its own and gives the name. */
export async function createBucket(server: Omit<S3Address, 'bucket'>): Promise<string> {
  using client = disposable(testS3Client(server));
  const bucket = `filterscope-test-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  return bucket;
}

/** Deletes a bucket and all that is in it. */
export async function deleteBucket({ bucket: Bucket, ...server }: S3Address): Promise<void> {
  using client = disposable(testS3Client(server));
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }));
    if (Contents.length === 0) break;
    const Objects = Contents.map(({ Key }) => ({ Key: Key! }));
    await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  }
  await client.send(new DeleteBucketCommand({ Bucket }));
}

function disposable(client: S3Client): S3Client & Disposable {
  return Object.assign(client, { [Symbol.dispose]: () => client.destroy() });
}
