import { FilterscopeError } from '@filterscope/errors/filterscope-error';

export interface FetchRangeOptions {
  /** First byte wanted. */
  readonly from: number;
  /** Longest wait for the answer to begin. */
  readonly connectTimeoutMs: number;
  /** Longest wait for more bytes. */
  readonly stallTimeoutMs: number;
  readonly signal?: AbortSignal;
}

export interface RangeResponse {
  /** First byte sent: the one wanted, or 0 when the server sends everything. */
  readonly from: number;
  /** Bytes altogether, where the server says it. */
  readonly total: number | null;
  /** Throws as {@link fetchRange} does. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/**
 * A file over HTTP from some byte on. A server that has nothing from there on gives no chunks.
 * @throws FilterscopeError `weights-unavailable`, with one sentence on why; transient unless the server refuses (4xx).
 * On abort, the signal's reason.
 */
export async function fetchRange(url: string, options: FetchRangeOptions): Promise<RangeResponse> {
  const { from, connectTimeoutMs, stallTimeoutMs, signal } = options;
  const { host } = new URL(url);
  const watch = watchdog(signal);
  const unavailable = (cause: unknown, what: string): unknown => {
    watch.stop();
    if (signal?.aborted === true) return signal.reason;
    if (cause instanceof FilterscopeError) return cause;
    return new FilterscopeError('weights-unavailable', what, { class: 'transient', cause });
  };
  watch.expect(connectTimeoutMs, `${host} did not answer within ${connectTimeoutMs / 1000} s`);
  const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
  let response: Response;
  try {
    response = await fetch(url, { headers, signal: watch.signal });
  } catch (cause) {
    throw unavailable(cause, `${host} cannot be reached (${reasonOf(cause)})`);
  }
  const { status, body } = response;
  if (status === 416 || body === null) {
    await body?.cancel();
    watch.stop();
    return { from, total: null, chunks: none() };
  }
  if (status !== 200 && status !== 206) {
    await body.cancel();
    watch.stop();
    const errorClass = status >= 500 || status === 408 || status === 429 ? 'transient' : 'permanent';
    const message = `${host} answered ${status} when asked for ${url}`;
    throw new FilterscopeError('weights-unavailable', message, { class: errorClass });
  }
  const start = status === 206 ? from : 0;
  const length = response.headers.get('content-length');
  async function* chunks(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const stalled = `${host} sent nothing for ${stallTimeoutMs / 1000} s`;
    try {
      watch.expect(stallTimeoutMs, stalled);
      for await (const chunk of stream) {
        watch.stop();
        yield chunk;
        watch.expect(stallTimeoutMs, stalled);
      }
    } catch (cause) {
      throw unavailable(cause, `the connection to ${host} broke (${reasonOf(cause)})`);
    } finally {
      watch.stop();
    }
  }
  watch.stop();
  return { from: start, total: length === null ? null : start + Number(length), chunks: chunks(body) };
}

interface Watchdog {
  readonly signal: AbortSignal;
  /** Aborts with a `weights-unavailable` of this message unless stopped or expecting something else in time. */
  expect(timeoutMs: number, message: string): void;
  stop(): void;
}

function watchdog(signal: AbortSignal | undefined): Watchdog {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal]),
    expect(timeoutMs, message) {
      clearTimeout(timer);
      const error = new FilterscopeError('weights-unavailable', message, { class: 'transient' });
      timer = setTimeout(() => controller.abort(error), timeoutMs);
    },
    stop: () => clearTimeout(timer),
  };
}

async function* none(): AsyncGenerator<Uint8Array> {}

/** Node's fetch says only "fetch failed" and keeps the reason (a code such as ENOTFOUND) one level below. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? String(cause.code) : cause.message;
  return error.message;
}
