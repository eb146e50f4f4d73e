import type { DuckDBConnection } from '@duckdb/node-api';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/** The tables that a query can name. `failures` are the rows of `images` that are not ok, but for those that a run which stopped early did not need. */
export const QUERY_TABLES = ['runs', 'layers', 'filters', 'images', 'failures', 'readings'] as const;
export type QueryTable = (typeof QUERY_TABLES)[number];

/** Table functions that make rows of their arguments and know nothing else; every other one is refused. */
const TABLE_FUNCTIONS = new Set(['range', 'generate_series', 'unnest', 'json_each', 'json_tree']);

/** Functions of a value that look at or change the session instead of computing. */
const REFUSED_FUNCTIONS = new Set(['current_setting', 'getvariable', 'getenv', 'write_log']);

/**
 * The tables that a query names, when it is one SELECT over nothing else. Decided on DuckDB's own syntax tree: the
 * statement's type alone is not enough, because table functions such as `enable_logging` change settings from within a SELECT.
 * What cannot be told from names (a file that an allowed path hides) is refused by the session's settings.
 * @throws FilterscopeError `bad-query`.
 */
export async function checkSelect(connection: DuckDBConnection, sql: string): Promise<Set<QueryTable>> {
  const statements = sql.trim() === '' ? null : await connection.extractStatements(sql).catch(badQuery);
  if (statements?.count !== 1) throw new FilterscopeError('bad-query', 'give one SQL query, in quotes');
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [sql]);
  const serialized: unknown = JSON.parse(String(reader.getRows()[0]?.[0]));
  if (!isRecord(serialized) || serialized['error'] !== false) {
    throw new FilterscopeError('bad-query', 'only SELECT queries can be asked; the tables are read-only');
  }
  const names = namesIn(serialized);
  for (const name of names.tableFunctions) {
    if (!TABLE_FUNCTIONS.has(name)) throw refused(`${name}() is not available here`);
  }
  for (const name of names.functions) {
    if (REFUSED_FUNCTIONS.has(name)) throw refused(`${name}() is not available here`);
  }
  const tables = new Set<QueryTable>();
  for (const name of names.tables) {
    const table = QUERY_TABLES.find((known) => known === name);
    if (table) tables.add(table);
    else if (!names.ctes.has(name)) throw refused(`there is no table "${name}"`);
  }
  return tables;
}

/** DuckDB's own words for what is wrong with a query, its line and caret included. */
export function badQuery(error: unknown): never {
  const message = (error instanceof Error ? error.message : String(error)).trim();
  throw new FilterscopeError('bad-query', message.replace(/^Failed to extract statements: /, ''), {
    cause: error,
  });
}

function refused(what: string): FilterscopeError {
  return new FilterscopeError('bad-query', `${what}; a query reads ${QUERY_TABLES.join(', ')}`);
}

/** All names in a syntax tree, in lower case as DuckDB compares them. */
function namesIn(tree: unknown) {
  const names = {
    tables: new Set<string>(),
    tableFunctions: new Set<string>(),
    functions: new Set<string>(),
    ctes: new Set<string>(),
  };
  const open = [tree];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) open.push(...(node as unknown[]));
    if (!isRecord(node)) continue;
    open.push(...Object.values(node));
    if (node['type'] === 'BASE_TABLE') add(names.tables, node['table_name']);
    if (node['type'] === 'TABLE_FUNCTION' && isRecord(node['function']))
      add(names.tableFunctions, node['function']['function_name']);
    if (node['class'] === 'FUNCTION') add(names.functions, node['function_name']);
    if (isRecord(node['cte_map']) && Array.isArray(node['cte_map']['map'])) {
      for (const cte of node['cte_map']['map'] as unknown[]) if (isRecord(cte)) add(names.ctes, cte['key']);
    }
  }
  return names;
}

function add(names: Set<string>, name: unknown): void {
  names.add(String(name).toLowerCase());
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
