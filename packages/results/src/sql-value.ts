import {
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBUnionValue,
} from '@duckdb/node-api';

/** A cell of a query's result as JSON has it. */
export type SqlValue = string | number | boolean | null | SqlValue[] | { [name: string]: SqlValue };

/** Digits that a double always keeps. */
const EXACT_DIGITS = 15;

/**
 * DuckDB's value as JSON has it. Numbers that a double cannot hold exactly (integers beyond 2^53, decimals of more than
 * 15 digits) and everything that JSON lacks are text, times in ISO 8601; NaN and infinities are null; a map is an object.
 */
export function sqlValue(value: unknown): SqlValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) return value.items.map(sqlValue);
  if (value instanceof DuckDBStructValue) {
    return Object.fromEntries(Object.entries(value.entries).map(([name, item]) => [name, sqlValue(item)]));
  }
  if (value instanceof DuckDBMapValue) {
    return Object.fromEntries(
      value.entries.map((entry) => [String(sqlText(entry.key)), sqlValue(entry.value)]),
    );
  }
  if (value instanceof DuckDBUnionValue) return sqlValue(value.value);
  if (value instanceof DuckDBDecimalValue) return decimal(value.toString());
  // DuckDB's dates, times, intervals, blobs and identifiers each have a toString of their own.
  // oxlint-disable-next-line typescript/no-base-to-string
  return isoTime(String(value));
}

/** The same as text, for CSV: JSON for what is nested; NaN and infinities by name. */
export function sqlText(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  const plain = sqlValue(value);
  if (plain === null) return null;
  return typeof plain === 'object' ? JSON.stringify(plain) : String(plain);
}

function decimal(text: string): SqlValue {
  const digits = text.replace(/^-?0*\.?0*|\./g, '').length;
  return digits <= EXACT_DIGITS ? Number(text) : text;
}

/** `2024-05-06 07:08:09+00` → `2024-05-06T07:08:09Z`; any other text as it is. */
function isoTime(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d(?::\d\d)?)?$/.exec(text);
  if (!match) return text;
  const [, date, time, zone = ''] = match;
  const zoneIso = zone === '+00' ? 'Z' : /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone;
  return `${date}T${time}${zoneIso}`;
}
