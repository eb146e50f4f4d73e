import { Worker } from 'node:worker_threads';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { AnyTable, EncodingReply, EncodingTask } from './encoding-thread.ts';
import { encodeParquet, type Columns, type FlatLists, type Row } from './parquet.ts';

/** Tables up to this size are encoded at once, in some 15 ms, so that short commands start no thread. */
const SMALL = { cells: 16_384, listBytes: 1024 * 1024 };
/** An idle thread ends after this long: it keeps some 100 MB. */
const IDLE_MS = 2_000;

/**
 * As `encodeParquet`, but never long on this thread's event loop: large tables are encoded in a thread that starts with the
 * first one and ends when idle. It keeps no process alive but while it has work.
 * @param lists are given away: they cannot be used afterwards.
 * @throws FilterscopeError `encoding-failed` when the thread cannot encode the table or dies.
 */
export async function encodeParquetAside(
  columns: Columns,
  rows: readonly Row[],
  lists: Readonly<Record<string, FlatLists>> = {},
): Promise<Uint8Array> {
  const cells = rows.length * Object.keys(columns).length;
  const listBytes = Object.values(lists).reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (cells <= SMALL.cells && listBytes <= SMALL.listBytes) return encodeParquet(columns, rows, lists);
  thread ??= startThread();
  const buffers = Object.values(lists).map(({ buffer }) => buffer as ArrayBuffer);
  return thread.encode({ columns, rows, lists }, buffers);
}

/**
 * As `encodeArrow`, in the same thread.
 * @param stream is given away.
 * @throws FilterscopeError `encoding-failed`
 */
export async function encodeArrowAside(stream: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  thread ??= startThread();
  return thread.encode({ stream }, [stream.buffer]);
}

interface EncodingThread {
  /** @param given the table's buffers, which are moved to the thread */
  encode(table: AnyTable, given: readonly ArrayBuffer[]): Promise<Uint8Array>;
}

let thread: EncodingThread | undefined;

function startThread(): EncodingThread {
  const worker = new Worker(new URL('./encoding-thread.ts', import.meta.url));
  const waiting = new Map<number, PromiseWithResolvers<Uint8Array>>();
  let counter = 0;
  let idle: NodeJS.Timeout | undefined;

  const end = (reason: string, cause?: unknown) => {
    clearTimeout(idle);
    if (thread === self) thread = undefined;
    const message = `a table could not be encoded: ${reason}`;
    const error = new FilterscopeError('encoding-failed', message, { class: 'transient', cause });
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const rest = () => {
    worker.unref();
    idle = setTimeout(() => {
      if (thread === self) thread = undefined;
      void worker.terminate();
    }, IDLE_MS).unref();
  };
  worker.on('message', ({ id, bytes }: EncodingReply) => {
    waiting.get(id)?.resolve(bytes);
    waiting.delete(id);
    if (waiting.size === 0) rest();
  });
  worker.on('error', (error) => end(String(error), error));
  worker.on('exit', (code) => end(`its thread ended with code ${code}`));

  const self: EncodingThread = {
    encode(table, given) {
      clearTimeout(idle);
      worker.ref();
      const id = counter++;
      const reply = Promise.withResolvers<Uint8Array>();
      waiting.set(id, reply);
      worker.postMessage({ id, table } satisfies EncodingTask, given);
      return reply.promise;
    },
  };
  return self;
}
