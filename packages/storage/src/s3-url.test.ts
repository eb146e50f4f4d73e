import { expect, test } from 'vitest';
import { parseS3Url } from './s3-url.ts';

test.each([
  ['s3://bucket', { bucket: 'bucket', prefix: '', url: 's3://bucket' }],
  ['s3://bucket/', { bucket: 'bucket', prefix: '', url: 's3://bucket' }],
  ['S3://bucket/a/b//', { bucket: 'bucket', prefix: 'a/b/', url: 's3://bucket/a/b' }],
  [
    's3://my.bucket-1/a b%20?#\n/ä',
    { bucket: 'my.bucket-1', prefix: 'a b%20?#\n/ä/', url: 's3://my.bucket-1/a b%20?#\n/ä' },
  ],
])('%j', (url, place) => {
  expect(parseS3Url(url)).toEqual(place);
});

test.each([
  's3://',
  's3:///prefix',
  's3://b/x',
  's3://buck et/x',
  's3://bucket?x=1/y',
  's3://-bucket',
  's3://bucket/../x',
  's3://bucket/a/./x',
  's3://bucket/a/..',
  's3://bucket/%2E./x',
])('%j is refused', (url) => {
  expect(() => parseS3Url(url)).toThrow(expect.objectContaining({ code: 'bad-url', class: 'permanent' }));
});

test('credentials in a URL are refused and not repeated', () => {
  const refused = (() => {
    try {
      return parseS3Url('s3://AKIASECRET:topsecret@bucket/prefix');
    } catch (error) {
      return error;
    }
  })();
  expect(refused).toMatchObject({ code: 'bad-url' });
  expect(String(refused)).not.toMatch(/SECRET/i);
});
