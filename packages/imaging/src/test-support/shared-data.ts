import { existsSync, readFileSync } from 'node:fs';

const ROOT = new URL('../../../../../shared/data/', import.meta.url);

/** A folder of pictures beside the repository, for tests that want real files; says so where it is absent. */
export function sharedData(folder: string): {
  readonly present: boolean;
  read(name: string): Uint8Array;
  url: URL;
} {
  const url = new URL(`${folder}/`, ROOT);
  const present = existsSync(url);
  if (!present) console.warn(`skipped: ../shared/data/${folder} is not beside the repository`);
  return { present, url, read: (name) => readFileSync(new URL(name, url)) };
}
