import { DuckDBInstance, version } from '@duckdb/node-api';

/** Opens a database and asks it something. @returns DuckDB's version. */
export async function checkDuckdb(): Promise<string> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run('SELECT 1');
  connection.closeSync();
  instance.closeSync();
  return version();
}
