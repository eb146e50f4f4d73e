import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The path of a file in the data folder beside the repository, or `undefined`, with a printed reason, without it. */
export function sharedData(name: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../../shared/data/${name}`, import.meta.url));
  if (existsSync(path)) return path;
  console.log(`skipped: ../shared/data/${name} is not there`);
  return undefined;
}
