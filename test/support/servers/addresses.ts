/** An S3-compatible server with a bucket that is this test run's own. */
export interface S3Address {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bucket: string;
}

/** A Redis that the tests share: each test takes a key prefix of its own and neither wipes, fills nor ends it. */
export interface RedisAddress {
  readonly url: string;
}

/** What the project `system` finds with vitest's `inject`. */
export interface ServerAddresses {
  readonly s3: S3Address | undefined;
  readonly redis: RedisAddress | undefined;
  /** Whether `startRedis` can start further servers, for tests that kill, wipe or fill one. */
  readonly ownRedis: boolean;
  /** Why any of the three above is not there; '' where all are. */
  readonly serversMissing: string;
}

declare module 'vitest' {
  interface ProvidedContext extends ServerAddresses {}
}
