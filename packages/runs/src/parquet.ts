import * as arrow from 'apache-arrow';
import {
  Compression,
  readParquet,
  Table as WasmTable,
  WriterPropertiesBuilder,
  writeParquet,
} from 'parquet-wasm/node';

export type Cell = string | number | boolean | null | Readonly<Record<string, number>>;
export type Row = Readonly<Record<string, Cell>>;
export type ColumnType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'float64'
  | 'boolean'
  /** A record of counts below 2^16, one field a name. */
  | { readonly counts: readonly string[] }
  /** The same of counts below 2^32. */
  | { readonly sums: readonly string[] };
export type Columns = Readonly<Record<string, ColumnType>>;

/** A column of lists of equal length, one list a row: `[row, element]`, flat. */
export type FlatLists = Uint16Array | Float32Array;

/** Version of the tables' columns, kept in each file's metadata as `filterscope.schema`. */
const SCHEMA_VERSION = '2';

/**
 * Rows as a Parquet file, compressed with Zstandard. Every cell may be null.
 * @param lists columns of lists that follow those of `columns`, each `rows.length` lists of equal length.
 */
export function encodeParquet(
  columns: Columns,
  rows: readonly Row[],
  lists: Readonly<Record<string, FlatLists>> = {},
): Uint8Array {
  const vectors: Record<string, arrow.Vector> = {};
  for (const [name, type] of Object.entries(columns))
    vectors[name] = columnVector(
      type,
      rows.map((row) => row[name] ?? null),
    );
  for (const [name, values] of Object.entries(lists)) vectors[name] = listVector(values, rows.length);
  return encodeArrow(arrow.tableToIPC(new arrow.Table(vectors), 'stream'), Object.keys(lists).length === 0);
}

/** Values of one column. */
export function columnVector(type: ColumnType, values: readonly Cell[]): arrow.Vector {
  return arrow.vectorFromArray(
    values.map((value) => toArrow(type, value)),
    arrowType(type),
  );
}

/**
 * A table in Arrow's stream format as a Parquet file.
 * @param repeats whether values do, so that a dictionary saves space; readings hardly do
 */
export function encodeArrow(stream: Uint8Array, repeats = true): Uint8Array {
  const properties = new WriterPropertiesBuilder()
    .setCompression(Compression.ZSTD)
    .setDictionaryEnabled(repeats)
    .setKeyValueMetadata(new Map([['filterscope.schema', SCHEMA_VERSION]]))
    .build();
  return writeParquet(WasmTable.fromIPCStream(stream), properties);
}

/** Which rows of a file are wanted; all unless told. (parquet-wasm reads all columns, whichever it is asked for.) */
interface Wanted {
  /** First row. */
  readonly offset?: number;
  /** Rows. */
  readonly limit?: number;
}

/** A Parquet file as a table of columns: much faster than its rows where only some cells are looked at. */
export function decodeColumns(bytes: Uint8Array, wanted: Wanted = {}): arrow.Table {
  return arrow.tableFromIPC(readParquet(bytes, wanted).intoIPCStream());
}

/** The rows of a Parquet file; list columns come as typed arrays. 64-bit integers become numbers, exact to 2^53. */
export function decodeParquet(bytes: Uint8Array): Record<string, Cell | FlatLists>[] {
  const table = decodeColumns(bytes);
  const rowAt = rowReader(table);
  return Array.from({ length: table.numRows }, (_, row) => rowAt(row));
}

/** Reads single rows of a table, for those who want only some. */
export function rowReader(table: arrow.Table): (row: number) => Record<string, Cell | FlatLists> {
  const names = table.schema.fields.map((field) => field.name);
  const vectors = names.map((name) => table.getChild(name)!);
  return (row) => Object.fromEntries(names.map((name, i) => [name, fromArrow(vectors[i].get(row))]));
}

const ARROW_TYPES = {
  string: () => new arrow.Utf8(),
  int32: () => new arrow.Int32(),
  int64: () => new arrow.Int64(),
  float64: () => new arrow.Float64(),
  boolean: () => new arrow.Bool(),
};

function arrowType(type: ColumnType): arrow.DataType {
  if (typeof type === 'string') return ARROW_TYPES[type]();
  const [names, number] =
    'counts' in type ? [type.counts, new arrow.Uint16()] : [type.sums, new arrow.Uint32()];
  return new arrow.Struct(names.map((name) => new arrow.Field<arrow.DataType>(name, number, true)));
}

function toArrow(type: ColumnType, cell: Cell): unknown {
  return type === 'int64' && typeof cell === 'number' ? BigInt(cell) : cell;
}

function fromArrow(value: unknown): Cell | FlatLists {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof arrow.Vector) return value.toArray() as FlatLists;
  if (value instanceof arrow.StructRow) return value.toJSON();
  return value as Cell;
}

function listVector(values: FlatLists, rows: number): arrow.Vector {
  const length = rows === 0 ? 0 : values.length / rows;
  const child: arrow.Data<arrow.Uint16 | arrow.Float32> =
    values instanceof Uint16Array
      ? arrow.makeData({ type: new arrow.Uint16(), length: values.length, data: values })
      : arrow.makeData({ type: new arrow.Float32(), length: values.length, data: values });
  const valueOffsets = Int32Array.from({ length: rows + 1 }, (_, row) => row * length);
  const type = new arrow.List(new arrow.Field('element', child.type, false));
  return new arrow.Vector([arrow.makeData({ type, length: rows, valueOffsets, child })]);
}
