/** How to get at a store that is not on this machine. Folders take no notice of it. Never holds credentials. */
export interface StoreAccess {
  /** An http(s) URL of an S3-compatible server; AWS where there is none. */
  readonly endpoint?: string;
  /** Name of a profile in the AWS configuration files; the default chain of credentials where there is none. */
  readonly profile?: string;
  /** Whether this side pays for requests and transfer, as buckets that are "requester pays" demand. */
  readonly requesterPays?: boolean;
  /** Id, ARN or alias of the KMS key that objects are encrypted with when they are written. */
  readonly kmsKeyId?: string;
}
