import { parentPort } from 'node:worker_threads';
import { encodeArrow, encodeParquet, type Columns, type FlatLists, type Row } from './parquet.ts';

// The body of the thread that encodes large tables. What it cannot encode ends it: after a trap WebAssembly's memory is not to be trusted.

/** A table as rows, or in Arrow's stream format. */
export type AnyTable =
  | {
      readonly columns: Columns;
      readonly rows: readonly Row[];
      readonly lists: Readonly<Record<string, FlatLists>>;
    }
  | { readonly stream: Uint8Array<ArrayBuffer> };
export interface EncodingTask {
  readonly id: number;
  readonly table: AnyTable;
}
export interface EncodingReply {
  readonly id: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const port = parentPort!;

port.on('message', ({ id, table }: EncodingTask) => {
  const encoded =
    'stream' in table ? encodeArrow(table.stream) : encodeParquet(table.columns, table.rows, table.lists);
  const bytes = new Uint8Array(encoded);
  port.postMessage({ id, bytes } satisfies EncodingReply, [bytes.buffer]);
});
