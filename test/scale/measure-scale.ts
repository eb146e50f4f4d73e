import { execFile } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chunkCount, type RunDocument } from '@filterscope/runs/run-document';
import { chunksFolder } from '@filterscope/runs/run-keys';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { Completion } from './complete-generated.ts';
import { planGeneratedRun, type GeneratedRun } from './generated-run.ts';
import type { Scale } from './scale-report.ts';

const run = promisify(execFile);
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
/** As apps/cli/bin/filterscope.mjs starts the command. */
const NODE = ['--max-semi-space-size=4', '--heap-growing-percent=20'];
const environment = { ...process.env, MALLOC_MMAP_THRESHOLD_: '1048576' };

/** As many as `compare` pairs. */
export const READ_ROWS = 10_000;

/**
 * Generates and completes two runs of the same images and asks the command about them. Takes 3.5 GB for a million images.
 * @param folder empty
 * @param times each question is asked, after once that does not count
 */
export async function measureScale(
  folder: string,
  images: number,
  times: number,
  say: (line: string) => void,
): Promise<Scale> {
  const runs: RunDocument[] = [];
  const completions: Completion[] = [];
  for (const variant of [0, 1]) {
    say(`${images} images: generating`);
    const document = await makeGeneratedRun(folder, { images, variant, readRows: READ_ROWS });
    const completion = await completeGeneratedRun(folder, document);
    const { seconds, cpuSeconds, peakBytes } = completion;
    say(
      `completed in ${seconds.toFixed(1)} s (${cpuSeconds.toFixed(1)} s of processor time), ${(peakBytes / 1e6).toFixed(0)} MB; load ${loadavg()[0].toFixed(1)}`,
    );
    await deleteChunks(folder, document);
    runs.push(document);
    completions.push(completion);
  }
  const [a, b] = runs.map(({ run: id }) => id);
  const questions = {
    layers: ['layers', a],
    filters: ['filters', a],
    filter: ['filter', a, 'block5_conv3/17'],
    compare: ['compare', a, b],
  };
  const answered: Record<string, { median: number; longest: number }> = {};
  for (const [name, args] of Object.entries(questions)) {
    const [, ...seconds] = await askCommand(folder, args, times + 1);
    const sorted = seconds.toSorted((x, y) => x - y);
    answered[name] = { median: sorted[sorted.length >> 1], longest: sorted.at(-1)! };
    say(`${name}: ${sorted.map((value) => value.toFixed(2)).join(' ')} s`);
  }
  const completion = completions.toSorted((x, y) => y.seconds - x.seconds)[0];
  return { images, chunks: chunkCount(runs[0]), completion, questions: answered, load: loadavg()[0] };
}

/** Plans a run and carries out its chunks, a process a core. */
export async function makeGeneratedRun(folder: string, what: GeneratedRun): Promise<RunDocument> {
  await using output = openFolderStore(folder);
  const document = await planGeneratedRun(output, what);
  const step = availableParallelism();
  await Promise.all(
    Array.from({ length: step }, (_, first) => {
      const args = [folder, document.run, what.variant, what.readRows, first, step].map(String);
      return run(process.execPath, [path('generate-chunks.ts'), ...args]);
    }),
  );
  return document;
}

/** Completes a run in a process of its own. */
export async function completeGeneratedRun(folder: string, { run: id }: RunDocument): Promise<Completion> {
  const args = [...NODE, path('complete-generated.ts'), folder, id];
  const { stdout } = await run(process.execPath, args, { env: environment });
  return JSON.parse(stdout) as Completion;
}

/** Deletes what a complete run is not asked for, to save its space. */
async function deleteChunks(folder: string, { run: id }: RunDocument): Promise<void> {
  await using output = openFolderStore(folder);
  const keys = (await Array.fromAsync(output.list(chunksFolder(id)))).map(({ key }) => key);
  await output.delete(keys);
}

/** Asks the command, a new process each time. @returns seconds, from start to end, each time */
async function askCommand(folder: string, args: readonly string[], times: number): Promise<number[]> {
  const command = path('../../apps/cli/bin/filterscope.mjs');
  const seconds: number[] = [];
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await run(process.execPath, [command, ...args, '--output', folder], { maxBuffer: 2 ** 28 });
    seconds.push((performance.now() - begun) / 1000);
  }
  return seconds;
}
