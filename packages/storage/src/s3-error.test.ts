import { inspect } from 'node:util';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { expect, test } from 'vitest';
import { isObjectFault } from './object-fault.ts';
import { s3Error } from './s3-error.ts';

const reading = { verb: 'read', bucket: 'photos', url: 's3://photos/cats/1.jpg' } as const;
const listing = { verb: 'list', bucket: 'photos', url: 's3://photos/cats' } as const;

/** An error as the SDK makes one of an answer: S3's code is its name, its message S3's. */
function answered(status: number, code?: string, fields: object = {}): Error {
  const $metadata = { httpStatusCode: status, requestId: 'request-1' };
  const named =
    code === undefined ? { name: status === 404 ? 'NotFound' : 'Unknown' } : { name: code, Code: code };
  return Object.assign(new Error('UnknownError'), named, { $metadata, ...fields });
}

const network = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
const sdk = (name: string) => Object.assign(new Error('of the SDK'), { name });

test.each([
  ['a missing key', answered(404, 'NoSuchKey'), 'object-missing', 'permanent'],
  ['a missing bucket', answered(404, 'NoSuchBucket'), 'bucket-missing', 'permanent'],
  ['an impossible bucket', answered(400, 'InvalidBucketName'), 'bucket-missing', 'permanent'],
  ['no permission', answered(403, 'AccessDenied'), 'object-forbidden', 'permanent'],
  ['an archived object', answered(403, 'InvalidObjectState'), 'object-archived', 'permanent'],
  ['a long key', answered(400, 'KeyTooLongError'), 'name-too-long', 'permanent'],
  ['a long key, to Ceph', answered(400, 'InvalidObjectName'), 'name-too-long', 'permanent'],
  ['an unknown access key', answered(403, 'InvalidAccessKeyId'), 'bad-credentials', 'transient'],
  ['a wrong secret', answered(403, 'SignatureDoesNotMatch'), 'bad-credentials', 'transient'],
  ['an expired token', answered(400, 'ExpiredToken'), 'expired-credentials', 'transient'],
  ['an expired token of STS', answered(400, 'ExpiredTokenException'), 'expired-credentials', 'transient'],
  ['no credentials', sdk('CredentialsProviderError'), 'no-credentials', 'transient'],
  ['a wrong clock', answered(403, 'RequestTimeTooSkewed'), 'clock-skewed', 'transient'],
  ['another region', answered(301, 'PermanentRedirect'), 'wrong-region', 'permanent'],
  ['another region, to HEAD', answered(301), 'wrong-region', 'permanent'],
  ['a disabled KMS key', answered(400, 'KMS.DisabledException'), 'bad-kms-key', 'permanent'],
  ['a full quota', answered(403, 'QuotaExceeded'), 'store-full', 'transient'],
  ['a full disk', answered(507), 'store-full', 'transient'],
  ['slow down', answered(503, 'SlowDown'), 'store-unavailable', 'transient'],
  ['an error of S3', answered(500, 'InternalError'), 'store-unavailable', 'transient'],
  ['too many requests', answered(429, 'AnyName'), 'store-unavailable', 'transient'],
  ['a bad gateway', answered(502), 'store-unavailable', 'transient'],
  ['a proxy that knows no such page', answered(404), 'store-unavailable', 'transient'],
  ['a page in place of XML', answered(200), 'store-unavailable', 'transient'],
  ['two writers at once', answered(409, 'ConditionalRequestConflict'), 'store-unavailable', 'transient'],
  ['bytes that changed on the way', answered(400, 'BadDigest'), 'store-unavailable', 'transient'],
  ['a timeout', sdk('TimeoutError'), 'store-unavailable', 'transient'],
  ['no server', network('ECONNREFUSED'), 'store-unavailable', 'transient'],
  ['no such host', network('ENOTFOUND'), 'store-unavailable', 'transient'],
  ['no HTTP', network('HPE_INVALID_CONSTANT'), 'store-unavailable', 'transient'],
  ['a certificate of its own', network('DEPTH_ZERO_SELF_SIGNED_CERT'), 'untrusted-certificate', 'permanent'],
  ['a proxy that refuses', answered(403), 'store-refused', 'permanent'],
  ['what S3 does not know', answered(501, 'NotImplemented'), 'store-refused', 'permanent'],
  ['anything else', answered(400, 'MalformedXML'), 'store-refused', 'permanent'],
])('%s', (_, error, code, errorClass) => {
  const meant = s3Error(error, reading);
  expect(meant).toBeInstanceOf(FilterscopeError);
  expect(meant).toMatchObject({ code, class: errorClass });
});

test('only what S3 says of the object itself is held against it', () => {
  const faults = ['NoSuchKey', 'AccessDenied', 'InvalidObjectState', 'KeyTooLongError'];
  const others = [
    'NoSuchBucket',
    'PermanentRedirect',
    'KMS.DisabledException',
    'InvalidAccessKeyId',
    'SlowDown',
  ];
  expect(faults.filter((code) => !isObjectFault(s3Error(answered(400, code), reading)))).toEqual([]);
  expect(others.filter((code) => isObjectFault(s3Error(answered(400, code), reading)))).toEqual([]);
  expect(isObjectFault(s3Error(answered(404), reading))).toBe(false);
});

test('a list that is refused names the permission; one that finds nothing, the bucket', () => {
  const refused = s3Error(answered(403, 'AccessDenied', { message: 'Access Denied' }), listing);
  expect(refused).toMatchObject({ code: 'list-forbidden', class: 'permanent' });
  expect(String(refused)).toMatch(/s3:\/\/photos\/cats \(Access Denied\).*s3:ListBucket.*photos/);
  expect(s3Error(answered(404, 'NoSuchKey'), listing)).toMatchObject({ code: 'bucket-missing' });
});

test('another region is named, from the XML or the header', () => {
  const headers = { 'x-amz-bucket-region': 'eu-west-1' };
  const errors = [
    answered(400, 'AuthorizationHeaderMalformed', { Region: 'eu-west-1' }),
    answered(301, 'PermanentRedirect', { $response: { headers } }),
  ];
  for (const error of errors) expect(String(s3Error(error, reading))).toContain('AWS_REGION=eu-west-1');
});

test('what S3 sent along with an error, such as the session token, stays out of ours', () => {
  const error = answered(400, 'ExpiredToken', {
    'Token-0': 'TOKEN-SECRET',
    AWSAccessKeyId: 'AKIA-SECRET',
    $response: { headers: { authorization: 'SECRET' } },
  });
  const shown = inspect(s3Error(error, reading), { depth: 10, showHidden: true });
  expect(shown).toContain('request-1');
  expect(shown).not.toContain('SECRET');
});

test('an error of the code, or one that is told already, stays what it is', () => {
  const bug = new TypeError('undefined is not a function');
  expect(s3Error(bug, reading)).toBe(bug);
  const told = new FilterscopeError('no-region', 'no region');
  expect(s3Error(told, reading)).toBe(told);
});
