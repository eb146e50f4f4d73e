import { expect, test } from 'vitest';
import { decodeParquet, encodeParquet } from './parquet.ts';

test('rows, nulls, records and lists come back as they were', () => {
  const columns = {
    key: 'string',
    size: 'int64',
    ok: 'boolean',
    share: 'float64',
    blank: { counts: ['a', 'b'] },
  } as const;
  const rows = [
    { key: 'ä €\n', size: 2 ** 40, ok: true, share: 0.1, blank: { a: 1, b: 65535 } },
    { key: '', size: 0, ok: false, share: null, blank: null },
  ];
  const lists = { zeros: Uint16Array.of(1, 2, 3, 50176), max: Float32Array.of(0, 1.5, 3, 2 ** -140) };
  const decoded = decodeParquet(encodeParquet(columns, rows, lists));
  expect(decoded).toEqual([
    { ...rows[0], zeros: Uint16Array.of(1, 2), max: Float32Array.of(0, 1.5) },
    { ...rows[1], zeros: Uint16Array.of(3, 50176), max: Float32Array.of(3, 2 ** -140) },
  ]);
});

test('a table without rows keeps its columns', () => {
  expect(decodeParquet(encodeParquet({ key: 'string' }, [], { zeros: new Uint16Array() }))).toEqual([]);
});
