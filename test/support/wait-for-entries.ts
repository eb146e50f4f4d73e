import { watch } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import type { Running } from './run-filterscope.ts';

/**
 * Waits until a folder, created here if need be, has at least `count` entries, told by the file system's events.
 * @throws when the process ends before.
 */
export async function waitForEntries(folder: string, count: number, { finished }: Running): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const look = () => readdir(folder).then((names) => names.length >= count && resolve(), reject);
  const watcher = watch(folder, () => void look());
  void look();
  void finished.then(({ code, signal, stderr }) =>
    reject(new Error(`the process ended with ${code ?? signal} before ${folder} had ${count}:\n${stderr}`)),
  );
  try {
    await promise;
  } finally {
    watcher.close();
  }
}
