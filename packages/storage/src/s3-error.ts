import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { s3ErrorKind, type S3Action, type S3Clues } from './s3-error-kinds.ts';

const ABOUT_CREDENTIALS = new Set(['bad-credentials', 'expired-credentials', 'no-credentials']);

/** What an error of S3, of its SDK or of the way there means. Anything unknown comes back as it is. */
export function s3Error(error: unknown, action: S3Action): unknown {
  if (error instanceof FilterscopeError || !(error instanceof Error)) return error;
  const clues = cluesOf(error);
  const kind = s3ErrorKind(clues, action);
  if (!kind) return error;
  const [code, errorClass, tell] = kind;
  // Not the error itself: the fields of S3's answer may hold a session token.
  const { name, status, requestId } = clues;
  const cause = new Error(
    [name, clues.code, status && `HTTP ${status}`, requestId].filter(Boolean).join(', '),
  );
  return new FilterscopeError(code, tell(action, clues), { class: errorClass, cause });
}

/** Whether other credentials would help. */
export function isAboutCredentials(error: unknown): boolean {
  return error instanceof FilterscopeError && ABOUT_CREDENTIALS.has(error.code);
}

function cluesOf(error: Error): S3Clues {
  const metadata = field(error, '$metadata');
  const headers = field(field(error, '$response'), 'headers');
  const status = field(metadata, 'httpStatusCode');
  return {
    name: error.name,
    code: text(field(error, 'code')) ?? '',
    message: messageOf(error, status),
    status: typeof status === 'number' ? status : undefined,
    requestId: text(field(metadata, 'requestId')),
    region: text(field(error, 'Region')) ?? text(field(headers, 'x-amz-bucket-region')),
  };
}

/** What S3 or the network said; not the SDK's own words, which are for programmers. */
function messageOf(error: Error, status: unknown): string {
  const { name, message } = error;
  const anonymous = status !== undefined && field(error, 'Code') === undefined;
  return anonymous || message === 'UnknownError' || name === 'TimeoutError' ? '' : message;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
