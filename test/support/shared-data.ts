import { existsSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../shared/data/', import.meta.url);

/** A file of the data folder beside the repository, or `undefined`, with a printed reason, where it is not there. */
export function sharedData(name: string): Buffer | undefined {
  const url = new URL(name, FOLDER);
  if (existsSync(url)) return readFileSync(url);
  console.log(`skipped: ../shared/data/${name} is not there`);
  return undefined;
}
