import { expect, test } from 'vitest';
import { encodeParquetAside } from './encode-aside.ts';
import { encodeParquet, type Columns, type FlatLists } from './parquet.ts';

const columns: Columns = { row: 'int32', name: 'string', counts: { counts: ['a', 'b'] } };
const table = (length: number) =>
  Array.from({ length }, (_, row) => ({
    row,
    name: row % 3 ? `n${row}` : null,
    counts: { a: 1, b: row % 7 },
  }));
const lists = (rows: number, length: number): Record<string, FlatLists> => ({
  zeros: Uint16Array.from({ length: rows * length }, (_, i) => i % 251),
  max: Float32Array.from({ length: rows * length }, (_, i) => i / 7),
});

test.each([
  ['few rows', 3, {}],
  ['many rows', 10_000, {}],
  ['large lists', 100, 4_000],
])('%s are the same bytes as encoded here', async (_, rows, length) => {
  const given = () => (typeof length === 'number' ? lists(rows, length) : {});
  const [aside, again] = await Promise.all([
    encodeParquetAside(columns, table(rows), given()),
    encodeParquetAside(columns, table(rows), given()),
  ]);
  const here = encodeParquet(columns, table(rows), given());
  expect(Buffer.compare(aside, here)).toBe(0);
  expect(Buffer.compare(again, here)).toBe(0);
});

test('a table that cannot be encoded fails with a code, and the next one is encoded', async () => {
  const rows = table(10_000);
  const wrong = { row: 'int32', name: 'string', counts: 'no type' } as unknown as Columns;
  const error = { code: 'encoding-failed', class: 'transient' };
  await expect(encodeParquetAside(wrong, rows)).rejects.toMatchObject(error);
  expect(await encodeParquetAside(columns, rows)).toEqual(encodeParquet(columns, rows));
});
