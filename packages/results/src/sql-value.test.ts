import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { beforeAll, expect, test } from 'vitest';
import { csvLine } from './csv-line.ts';
import { sqlText, sqlValue, type SqlValue } from './sql-value.ts';

let connection: DuckDBConnection;
beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:');
  connection = await instance.connect();
  return () => {
    connection.closeSync();
    instance.closeSync();
  };
});

test.each<[sql: string, json: SqlValue, csv: string | null]>([
  ['NULL', null, null],
  ['true', true, 'true'],
  ["''", '', ''],
  ['\'a, "b"\'', 'a, "b"', 'a, "b"'],
  ['9007199254740991', 9007199254740991, '9007199254740991'],
  ['9007199254740993', '9007199254740993', '9007199254740993'],
  ['-9223372036854775808', '-9223372036854775808', '-9223372036854775808'],
  ['18446744073709551615::UBIGINT', '18446744073709551615', '18446744073709551615'],
  ['sum(x) FROM range(3) t(x)', 3, '3'], // a HUGEINT
  ['1.10::DECIMAL(10, 2)', 1.1, '1.1'],
  ['-0.000123::DECIMAL(10, 6)', -0.000123, '-0.000123'],
  ['123456789012345.6::DECIMAL(18, 1)', '123456789012345.6', '123456789012345.6'],
  ['0.1::DOUBLE', 0.1, '0.1'],
  ["'NaN'::DOUBLE", null, 'NaN'],
  ["'-Infinity'::DOUBLE", null, '-Infinity'],
  ["DATE '2024-05-06'", '2024-05-06', '2024-05-06'],
  ["TIMESTAMP '2024-05-06 07:08:09.5'", '2024-05-06T07:08:09.5', '2024-05-06T07:08:09.5'],
  [
    "TIMESTAMP_NS '2024-05-06 07:08:09.123456789'",
    '2024-05-06T07:08:09.123456789',
    '2024-05-06T07:08:09.123456789',
  ],
  ["TIME '07:08:09'", '07:08:09', '07:08:09'],
  ["INTERVAL '1' DAY", '1 day', '1 day'],
  [
    "'00000000-0000-0000-0000-00000000000a'::UUID",
    '00000000-0000-0000-0000-00000000000a',
    '00000000-0000-0000-0000-00000000000a',
  ],
  ['[1, NULL, 9007199254740993]', [1, null, '9007199254740993'], '[1,null,"9007199254740993"]'],
  ['array_value(1, 2)', [1, 2], '[1,2]'],
  [
    "{'a': [1.5], 'b': {'c': DATE '2024-05-06'}}",
    { a: [1.5], b: { c: '2024-05-06' } },
    '{"a":[1.5],"b":{"c":"2024-05-06"}}',
  ],
  ["MAP {'x': 1, 'y': NULL}", { x: 1, y: null }, '{"x":1,"y":null}'],
  ['MAP {1: [2]}', { 1: [2] }, '{"1":[2]}'],
  ['union_value(k := 1)', 1, '1'],
])('%s', async (sql, json, csv) => {
  const value = (await connection.runAndReadAll(`SELECT ${sql}`)).getRows()[0][0];
  expect(sqlValue(value)).toEqual(json);
  expect(sqlText(value)).toBe(csv);
});

test('a time with a zone is a moment, wherever it is asked', async () => {
  const sql = "SELECT TIMESTAMPTZ '2024-05-06 07:08:09+02'";
  const text = sqlText((await connection.runAndReadAll(sql)).getRows()[0][0])!;
  expect(text).toMatch(/^2024-05-0\dT\d\d:\d\d:09(Z|[+-]\d\d:\d\d)$/);
  expect(Date.parse(text)).toBe(Date.parse('2024-05-06T05:08:09Z'));
});

test('a line of CSV: nothing, empty text and what has to be quoted stay apart', () => {
  expect(csvLine([null, '', 'a', 'b,c', 'd"e', 'f\ng', 'h\r'])).toBe(',"",a,"b,c","d""e","f\ng","h\r"\n');
});
