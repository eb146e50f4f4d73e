import { mkdir, readFile, readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const newFolder = temporaryFolders();
let photos: string;
let weights: string;
beforeAll(async () => {
  photos = await newFolder();
  await writePhotos(photos, 3);
  weights = await writeSmallWeights(await newFolder());
});

/** @returns the run's id. */
async function analyze(output: string, ...more: string[]): Promise<string> {
  const settings = ['--weights', weights, '--layers', 'block1_conv1', '--grids', 'none'];
  return (await askJson<{ run: string }>(['analyze', photos, '-o', output, ...settings, ...more])).run;
}

const files = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));

test.concurrent('a run goes by its id, a beginning of it, or latest', async () => {
  const output = await newFolder();
  const first = await analyze(output);
  const second = await analyze(output, '--limit', '2');
  const runOf = async (name: string) => (await askJson<{ run: string }>(['status', name, '-o', output])).run;
  expect(await runOf('latest')).toBe(second);
  expect(await runOf(first)).toBe(first);
  expect(await runOf(first.slice(0, 12))).toBe(first);
  expect(await askJson<unknown[]>(['runs', '-o', output])).toMatchObject([{ run: second }, { run: first }]);

  // A run whose id begins in the same way: made by hand, for ids cannot be chosen.
  const twin = first.slice(0, 63) + (first.endsWith('0') ? '1' : '0');
  const document = JSON.parse(await readFile(join(output, 'runs', first, 'run.json'), 'utf8')) as object;
  await mkdir(join(output, 'runs', twin));
  await writeFile(join(output, 'runs', twin, 'run.json'), JSON.stringify({ ...document, run: twin }));
  const ambiguous = await filterscope(['layers', first.slice(0, 20), '-o', output]);
  expect(ambiguous.stderr).toContain('write more of the id');
  expect(ambiguous.code).toBe(2);
  expect(await runOf(first)).toBe(first);
});

test.concurrent.each(['latest', '0123', 'f'.repeat(64), 'no-run', '../..'])(
  'an unknown run, %s, is not found, whatever is asked',
  async (name) => {
    const output = await newFolder();
    for (const args of [
      ['status', name],
      ['query', name, 'SELECT 1'],
      ['delete', name, '--yes'],
    ]) {
      const { code, stdout, stderr } = await filterscope([...args, '-o', output]);
      expect(stderr).toMatch(/^filterscope: there is no run .*\n$/);
      expect(stdout).toBe('');
      expect(code).toBe(4);
    }
  },
);

test.concurrent('delete takes a run and its tables and leaves the others', async () => {
  const output = await newFolder();
  const first = await analyze(output);
  const second = await analyze(output, '--limit', '2');
  const answer = await askJson<{ run: string; deleted: number }>(['delete', first, '--yes', '-o', output]);
  expect(answer.run).toBe(first);
  expect(answer.deleted).toBeGreaterThan(5);
  const left = await files(output);
  expect(left.filter((file) => file.includes(first))).toEqual([]);
  expect(left.filter((file) => file.startsWith('weights/'))).toHaveLength(1);
  expect(await askJson<unknown[]>(['runs', '-o', output])).toMatchObject([{ run: second }]);
  expect((await filterscope(['layers', first, '-o', output])).code).toBe(4);
  expect((await filterscope(['layers', second, '-o', output])).code).toBe(0);
  expect(await analyze(output)).toBe(first); // and can be done again
});

test.concurrent('gc takes attempts without a commit, remains of deleted runs and unused weights, the old ones only', async () => {
  const output = await newFolder();
  const run = await analyze(output, '--grids', 'all');
  const gone = 'a'.repeat(64);
  const old = [
    `runs/${run}/chunks/0000000/old-attempt/images.parquet`,
    `runs/${run}/chunks/0000000/old-attempt/grids/0000000/block1_conv1.jpg`,
    `runs/${run}/drawn/grids/0000002/block1_conv1.jpg`,
    `runs/${gone}/manifest/0000000.parquet`,
    `index/layers/run=${gone}/1-00000.parquet`,
    `weights/${'b'.repeat(64)}.safetensors`,
  ];
  const young = [
    `runs/${run}/chunks/0000000/young-attempt/images.parquet`,
    `weights/${'c'.repeat(64)}.safetensors`,
  ];
  for (const file of [...old, ...young]) await write(join(output, file));
  const twoHoursAgo = new Date(Date.now() - 2 * 3_600_000);
  // What the run needs is old, too.
  for (const file of await files(output)) {
    if (!young.includes(file)) await utimes(join(output, file), twoHoursAgo, twoHoursAgo);
  }
  const all = await files(output);

  const rehearsal = await askJson<unknown[]>(['gc', '--dry-run', '--older-than', '1h', '-o', output]);
  expect(await files(output)).toEqual(all);
  const swept = await askJson<{ reason: string; objects: number }[]>([
    'gc',
    '--older-than',
    '1h',
    '-o',
    output,
  ]);
  expect(swept).toEqual(rehearsal);
  expect(Object.fromEntries(swept.map(({ reason, objects }) => [reason, objects]))).toEqual({
    'uncommitted-attempt': 2,
    'drawn-grid': 1,
    'deleted-run': 2,
    'unused-weights': 1,
  });
  const left = await files(output);
  expect(left.toSorted()).toEqual(all.filter((file) => !old.includes(file)).toSorted());
  expect((await filterscope(['layers', run, '-o', output])).code).toBe(0);
  await stat(join(output, young[0]));

  await askJson(['delete', run, '--yes', '-o', output]);
  const everything = await filterscope(['gc', '--older-than', '0m', '-o', output]);
  expect(everything.stdout).toContain('unused-weights');
  expect(everything.stderr).toContain('Deleted.');
  expect(await files(output)).toEqual([]);
  const nothing = await filterscope(['gc', '--older-than', '0m', '-o', output]);
  expect(nothing).toMatchObject({ code: 0, stdout: '', stderr: 'Nothing to delete.\n' });
});

test.concurrent('doctor finds this machine in order, and says where it is not', async () => {
  const output = join(await newFolder(), 'out');
  const checks = await askJson<{ check: string; status: string }[]>(['doctor', '-o', output]);
  expect(checks.map(({ check }) => check)).toEqual([
    'Node.js',
    'machine',
    'images',
    'engine',
    'queries',
    'weights',
    'output',
  ]);
  for (const { check, status } of checks) {
    if (!['machine', 'weights', 'output'].includes(check)) expect(status, check).toBe('ok');
  }
  expect(checks.find(({ check }) => check === 'weights')).toMatchObject({ status: 'warning' });
  expect(await files(output)).toEqual([]);

  const file = join(await newFolder(), 'file');
  await writeFile(file, '');
  const { code, stdout } = await filterscope(['doctor', '-o', file]);
  expect(stdout).toMatch(/^output +failed/m);
  expect(code).toBe(1);
});

async function write(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, 'something');
}
