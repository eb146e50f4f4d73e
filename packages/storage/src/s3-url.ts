import { FilterscopeError } from '@filterscope/errors/filterscope-error';

export interface S3Place {
  readonly bucket: string;
  /** What every key begins with: empty, or ending in `/`. */
  readonly prefix: string;
  /** Without a `/` at the end. */
  readonly url: string;
}

/** Names of today's buckets, of older ones and of access points' aliases. */
const BUCKET = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]$/;

/** URL parsers on the way to the server take them for folders, so that the key that is signed is not the one that arrives. */
const DOTS = /^(?:\.|%2e){1,2}$/i;

/**
 * Takes `s3://bucket/prefix` apart. The prefix is taken as it is, as in the AWS command line: `%20` is no space.
 * @throws FilterscopeError `bad-url`, which does not repeat what may be a secret.
 */
export function parseS3Url(url: string): S3Place {
  const [, bucket = '', rest = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(url) ?? [];
  if (bucket.includes('@') || bucket.includes(':')) {
    const message =
      'an s3:// URL is s3://bucket/prefix, without credentials, port or ARN; credentials come from the AWS ' +
      'environment variables or configuration files, the server from AWS_ENDPOINT_URL_S3';
    throw new FilterscopeError('bad-url', message);
  }
  if (!BUCKET.test(bucket)) {
    const message = `${JSON.stringify(bucket)} cannot be the name of a bucket; an S3 URL is s3://bucket/prefix`;
    throw new FilterscopeError('bad-url', message);
  }
  if (rest.split(/[\\/]/).some((segment) => DOTS.test(segment))) {
    const message = 'an S3 prefix has no "." and ".." in it: they lead nowhere there; give the prefix itself';
    throw new FilterscopeError('bad-url', message);
  }
  const path = rest.replace(/\/+$/, '');
  if (path === '') return { bucket, prefix: '', url: `s3://${bucket}` };
  return { bucket, prefix: `${path}/`, url: `s3://${bucket}/${path}` };
}
