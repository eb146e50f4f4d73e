import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Size and date of everything below a folder, by path: equal when nothing was written. */
export async function folderContents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder, { recursive: true });
  const entries = names.map(async (name) => {
    const { size, mtimeMs } = await stat(join(folder, name));
    return [name, `${size} ${mtimeMs}`] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
