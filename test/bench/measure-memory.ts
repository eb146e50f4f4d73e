import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Peak resident memory in MB, with the allocator set as the launcher sets it, of `filterscope analyze` on the folder, without grids and with all of them. */
export async function measureMemory(
  folder: string,
  threads: number,
): Promise<{ readings: number; grids: number }> {
  return {
    readings: await peakMegabytes(folder, threads, 'none'),
    grids: await peakMegabytes(folder, threads, 'all'),
  };
}

/** Prints the peak when the process ends. VmHWM begins anew with the program; maxRSS would begin with this one's. */
const REPORT = `data:text/javascript,${encodeURIComponent(`
  import { readFileSync } from 'node:fs';
  import { isMainThread } from 'node:worker_threads';
  const peak = () => /VmHWM:\\s*(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1];
  if (isMainThread) process.on('exit', () => process.stderr.write('peak ' + peak() + '\\n'));
`)}`;

async function peakMegabytes(folder: string, threads: number, grids: string): Promise<number> {
  const output = await mkdtemp(join(tmpdir(), 'filterscope-bench-memory-'));
  const main = fileURLToPath(new URL('../../apps/cli/src/main.ts', import.meta.url));
  const settings = [
    '--weights',
    'synthetic',
    '--grids',
    grids,
    '--threads',
    String(threads),
    '--output',
    output,
    '--json',
  ];
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=4', '--import', REPORT, main, 'analyze', folder, ...settings],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '1048576' },
    },
  );
  let text = '';
  for await (const part of child.stderr) text += String(part);
  await rm(output, { recursive: true, force: true });
  const peak = /^peak (\d+)$/m.exec(text)?.[1];
  if (!peak) throw new Error(`the run ended without its peak memory:\n${text}`);
  return (Number(peak) * 1024) / 1e6;
}
