// Creates the bucket named by the argument, unless it is there. For a server of one's own only: it has the server's keys.
import {
  BucketAlreadyExists,
  BucketAlreadyOwnedByYou,
  CreateBucketCommand,
  S3Client,
} from '@aws-sdk/client-s3';

const [bucket] = process.argv.slice(2);
if (bucket === undefined) {
  process.stderr.write('usage: node create-bucket.ts BUCKET\n');
  process.exit(2);
}
const client = new S3Client({ forcePathStyle: true });
try {
  await client.send(new CreateBucketCommand({ Bucket: bucket }), {
    abortSignal: AbortSignal.timeout(30_000),
  });
  process.stdout.write(`created the bucket ${bucket}\n`);
} catch (error) {
  if (!(error instanceof BucketAlreadyOwnedByYou || error instanceof BucketAlreadyExists)) throw error;
  process.stdout.write(`the bucket ${bucket} is there\n`);
} finally {
  client.destroy();
}
