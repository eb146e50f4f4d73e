import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { s3Retries, TRIES } from './s3-retries.ts';
import type { StoreAccess } from './store-access.ts';

/** Requests at a time; more wait. The SDK's 50 would be less than a worker's gets, puts and commits together. */
const MAX_SOCKETS = 64;
const CONNECTION_TIMEOUT_MS = 5_000;
/** Without a byte in either direction. */
const IDLE_TIMEOUT_MS = 30_000;

const SILENT = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * A client for AWS, or for the compatible server that `access` names. Credentials come by the default chain of the SDK.
 * @param before a client whose connections are gone on with; its credentials are not
 */
export function createS3Client({ endpoint, profile }: StoreAccess, before?: S3Client): S3Client {
  const agent = { keepAlive: true, maxSockets: MAX_SOCKETS };
  const config: S3ClientConfig & { ignoreCache: boolean } = {
    ...(profile !== undefined && { profile }),
    ...(endpoint !== undefined && {
      endpoint,
      forcePathStyle: true,
      // Compatible servers know neither the SDK's newer checksums nor trailers. Commits carry SHA-256s of our own.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    }),
    region: region(endpoint, profile),
    retryStrategy: s3Retries,
    maxAttempts: TRIES,
    requestHandler: before?.config.requestHandler ?? {
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      socketTimeout: IDLE_TIMEOUT_MS,
      httpAgent: agent,
      httpsAgent: agent,
      logger: SILENT,
    },
    // Asking first would take a connection of its own for every put of 2 MiB and more.
    expectContinueHeader: false,
    // For the files that credentials come from: they are read again whenever a client is made.
    ignoreCache: true,
    logger: SILENT,
  };
  return new S3Client(config);
}

/** The configured region, looked up once. Compatible servers seldom care. */
function region(endpoint: string | undefined, profile: string | undefined): () => Promise<string> {
  let found: Promise<string> | undefined;
  return () => (found ??= configuredRegion(endpoint, profile));
}

async function configuredRegion(endpoint: string | undefined, profile: string | undefined): Promise<string> {
  const probe = new S3Client(profile === undefined ? {} : { profile });
  try {
    return await probe.config.region();
  } catch (error) {
    if (endpoint !== undefined) return 'us-east-1';
    const message = 'no AWS region is configured; set AWS_REGION to the region of the bucket';
    throw new FilterscopeError('no-region', message, { cause: error });
  } finally {
    probe.destroy();
  }
}
