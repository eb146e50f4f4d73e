import type { ErrorClass } from '@filterscope/errors/filterscope-error';

/** What was being done, for messages. */
export interface S3Action {
  readonly verb: 'list' | 'read' | 'write' | 'copy' | 'delete';
  readonly bucket: string;
  /** Of the object, or of the store when it is listed. */
  readonly url: string;
  /** Absent for AWS. */
  readonly endpoint?: string;
}

/** What is looked at in an error: of S3 (the SDK makes its XML's `Code` the name), of the SDK, or of the network. */
export interface S3Clues {
  readonly name: string;
  readonly code: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly region: string | undefined;
}

/** What is made of an error: its code, its class, and what a person is told. */
export type S3ErrorKind = readonly [
  code: string,
  errorClass: ErrorClass,
  tell: (action: S3Action, clues: S3Clues) => string,
];

const at = ({ endpoint }: S3Action) => (endpoint === undefined ? '' : ` at ${endpoint}`);
const said = ({ message }: S3Clues) => (message === '' ? '' : ` (${message})`);
const named = ({ code, name, status }: S3Clues) =>
  code || (KINDS.has(name) || status === undefined ? name : `HTTP ${status}`);

const OBJECT_MISSING: S3ErrorKind = ['object-missing', 'permanent', ({ url }) => `${url} does not exist`];
const BUCKET_MISSING: S3ErrorKind = [
  'bucket-missing',
  'permanent',
  (action) => `there is no bucket ${action.bucket}${at(action)}; check its name, and AWS_ENDPOINT_URL_S3`,
];
const FORBIDDEN: S3ErrorKind = [
  'object-forbidden',
  'permanent',
  ({ verb, url }, clues) =>
    `no permission to ${verb} ${url}${said(clues)}; check the policy of the credentials`,
];
const LIST_FORBIDDEN: S3ErrorKind = [
  'list-forbidden',
  'permanent',
  ({ url, bucket }, clues) =>
    `no permission to list ${url}${said(clues)}; the credentials need s3:ListBucket on the bucket ${bucket}`,
];
const ARCHIVED: S3ErrorKind = [
  'object-archived',
  'permanent',
  ({ url }) => `${url} is archived and cannot be read; restore it first`,
];
const NAME_TOO_LONG: S3ErrorKind = [
  'name-too-long',
  'permanent',
  ({ url }) => `the name ${url} is too long; S3 takes keys of 1,024 bytes`,
];
// Credentials are the environment's, not the work's: put right, the same work succeeds. So none of these is permanent.
const BAD_CREDENTIALS: S3ErrorKind = [
  'bad-credentials',
  'transient',
  (action, { name }) =>
    `S3${at(action)} does not accept the credentials (${name}); check the AWS access key and its secret`,
];
const EXPIRED_CREDENTIALS: S3ErrorKind = [
  'expired-credentials',
  'transient',
  (action) =>
    `the credentials for S3${at(action)} have expired; renew them (aws sso login, or new session keys)`,
];
const NO_CREDENTIALS: S3ErrorKind = [
  'no-credentials',
  'transient',
  (action, clues) =>
    `no credentials for S3${at(action)}${said(clues)}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE`,
];
const CLOCK: S3ErrorKind = [
  'clock-skewed',
  'transient',
  (action) => `this machine's clock differs from that of S3${at(action)} by too much; set it`,
];
const WRONG_REGION: S3ErrorKind = [
  'wrong-region',
  'permanent',
  ({ bucket }, { region }) =>
    region === undefined
      ? `the bucket ${bucket} is in another region; set AWS_REGION to the bucket's region`
      : `the bucket ${bucket} is in the region ${region}; set AWS_REGION=${region}`,
];
const KMS: S3ErrorKind = [
  'bad-kms-key',
  'permanent',
  ({ verb, url }, clues) =>
    `the KMS key does not let ${url} be ${verb === 'read' ? 'read' : 'written'} (${clues.name})${said(clues)}`,
];
const FULL: S3ErrorKind = [
  'store-full',
  'transient',
  (action) => `no space left in ${action.bucket}${at(action)}; free some and run the same command again`,
];
const UNAVAILABLE: S3ErrorKind = [
  'store-unavailable',
  'transient',
  (action, clues) =>
    `S3${at(action)} could not ${action.verb} ${action.url} now (${named(clues)})${said(clues)}; ` +
    'check the network and AWS_ENDPOINT_URL_S3, or try again later',
];
const UNTRUSTED: S3ErrorKind = [
  'untrusted-certificate',
  'permanent',
  (action, { code }) =>
    `the certificate of S3${at(action)} is not trusted (${code}); name its authority in NODE_EXTRA_CA_CERTS`,
];
const REFUSED: S3ErrorKind = [
  'store-refused',
  'permanent',
  (action, clues) =>
    `S3${at(action)} refused to ${action.verb} ${action.url} (${named(clues)})${said(clues)}`,
];

const KINDS: ReadonlyMap<string, S3ErrorKind> = new Map([
  ...each(OBJECT_MISSING, 'NoSuchKey NoSuchVersion'),
  ...each(BUCKET_MISSING, 'NoSuchBucket InvalidBucketName'),
  ...each(FORBIDDEN, 'AccessDenied AllAccessDisabled'),
  ...each(ARCHIVED, 'InvalidObjectState'),
  ...each(NAME_TOO_LONG, 'KeyTooLongError InvalidObjectName'),
  ...each(BAD_CREDENTIALS, 'InvalidAccessKeyId SignatureDoesNotMatch InvalidToken TokenRefreshRequired'),
  ...each(BAD_CREDENTIALS, 'InvalidClientTokenId UnrecognizedClientException InvalidSecurity'),
  ...each(BAD_CREDENTIALS, 'NotSignedUp AccountProblem UserSuspended'),
  ...each(EXPIRED_CREDENTIALS, 'ExpiredToken ExpiredTokenException RequestExpired'),
  ...each(NO_CREDENTIALS, 'CredentialsProviderError TokenProviderError ProviderError'),
  ...each(CLOCK, 'RequestTimeTooSkewed RequestInTheFuture'),
  ...each(WRONG_REGION, 'PermanentRedirect TemporaryRedirect Redirect AuthorizationHeaderMalformed'),
  ...each(WRONG_REGION, 'IllegalLocationConstraintException'),
  ...each(FULL, 'QuotaExceeded InsufficientStorage XMinioStorageFull'),
  ...each(UNAVAILABLE, 'SlowDown ServiceUnavailable InternalError RequestTimeout TimeoutError'),
  ...each(UNAVAILABLE, 'OperationAborted ConditionalRequestConflict'),
  ...each(UNAVAILABLE, 'IncompleteBody BadDigest XAmzContentSHA256Mismatch'),
]);

function each(kind: S3ErrorKind, names: string): [string, S3ErrorKind][] {
  return names.split(' ').map((name) => [name, kind]);
}

const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET_ISSUER)/;
const NETWORK = /^(?:E[A-Z_]+|HPE_[A-Z_]+|ERR_STREAM_PREMATURE_CLOSE|ERR_SSL_[A-Z_]+)$/;

/** What kind of error this is; undefined for one that comes neither from S3 nor from the way there. */
export function s3ErrorKind(clues: S3Clues, { verb }: S3Action): S3ErrorKind | undefined {
  const kind = kindOf(clues);
  if (verb !== 'list') return kind;
  if (kind === FORBIDDEN) return LIST_FORBIDDEN;
  return kind === OBJECT_MISSING ? BUCKET_MISSING : kind;
}

function kindOf({ name, code, status }: S3Clues): S3ErrorKind | undefined {
  const kind = KINDS.get(name);
  if (kind) return kind;
  if (name.startsWith('KMS.')) return KMS;
  if (CERTIFICATE.test(code)) return UNTRUSTED;
  if (NETWORK.test(code)) return UNAVAILABLE;
  return status === undefined ? undefined : kindOfStatus(status);
}

/**
 * By status, where S3's name for it is unknown or there is none. Then it is not said of the object: a proxy before a server that
 * is down answers 404 and 403 as well.
 */
function kindOfStatus(status: number): S3ErrorKind {
  if (status === 401) return BAD_CREDENTIALS;
  if (status === 301 || status === 307) return WRONG_REGION;
  if (status === 507) return FULL;
  if (status === 501) return REFUSED;
  // 2xx: an answer that began well and cannot be understood, as proxies give them.
  if (status < 300 || status === 404 || status === 408 || status === 429 || status >= 500) return UNAVAILABLE;
  return REFUSED;
}
