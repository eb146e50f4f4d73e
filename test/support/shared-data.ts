import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('../../../shared/data/', import.meta.url);

/** Path of a file of the data folder beside the repository, or `undefined`, with a printed reason, where it is not there. */
export function sharedDataPath(name: string): string | undefined {
  const url = new URL(name, FOLDER);
  if (existsSync(url)) return fileURLToPath(url);
  console.log(`skipped: ../shared/data/${name} is not there`);
  return undefined;
}

/** The bytes of such a file. */
export function sharedData(name: string): Buffer | undefined {
  const path = sharedDataPath(name);
  return path === undefined ? undefined : readFileSync(path);
}
