import { parentPort } from 'node:worker_threads';
import { encodeParquet, type Columns, type FlatLists, type Row } from './parquet.ts';

// The body of the thread that encodes large tables. What it cannot encode ends it: after a trap WebAssembly's memory is not to be trusted.

export interface EncodingTask {
  readonly id: number;
  readonly columns: Columns;
  readonly rows: readonly Row[];
  readonly lists: Readonly<Record<string, FlatLists>>;
}
export interface EncodingReply {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const port = parentPort!;

port.on('message', ({ id, columns, rows, lists }: EncodingTask) => {
  const bytes = new Uint8Array(encodeParquet(columns, rows, lists));
  port.postMessage({ id, bytes } satisfies EncodingReply, [bytes.buffer]);
});
