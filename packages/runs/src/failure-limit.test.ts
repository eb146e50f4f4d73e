import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { putCommit } from './commit.ts';
import { countFailures, enforceFailureLimit, setFailureLimit } from './failure-limit.ts';
import { readReason } from './run-mark.ts';
import { exampleCommit, exampleRun } from './test-support/example-run.ts';

const document = exampleRun();
const { run } = document;
const { signal } = new AbortController();
let folder: string;
let output: ObjectStore;
let reads: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'filterscope-limit-'));
  const store = openFolderStore(folder);
  reads = [];
  output = {
    ...store,
    get(key, ...rest) {
      reads.push(key);
      return store.get(key, ...rest);
    },
  };
});
afterEach(() => rm(folder, { recursive: true }));

const enforce = (failures = countFailures(output, run)) =>
  enforceFailureLimit({ document, output, failures }, signal);
const refused = { code: 'too-many-failures', message: expect.stringContaining('allows (2)') };

test('a run without a limit is never given up, and its commits are not read', async () => {
  await putCommit(output, exampleCommit(0, { ok: 0, failed: 8 }));
  reads = [];
  await enforce();
  expect(reads).toEqual([expect.stringContaining('max-failures.json')]);
});

test('more failures than allowed, whoever committed them: given up, with the reason; as many: not', async () => {
  await setFailureLimit(output, run, 2, signal);
  const failures = countFailures(output, run);
  await putCommit(output, exampleCommit(0, { ok: 7, failed: 1 }));
  await putCommit(output, exampleCommit(1, { ok: 7, failed: 1 }));
  await enforce(failures);
  expect(await readReason(output, run, 'failed')).toBeUndefined();

  await putCommit(output, exampleCommit(2, { ok: 7, failed: 1 }));
  reads = [];
  await expect(enforce(failures)).rejects.toMatchObject(refused);
  expect(await readReason(output, run, 'failed')).toContain('3 images failed');
  expect(reads.filter((key) => key.includes('/commits/'))).toEqual([expect.stringContaining('0000002/0')]);
});

test('what a retry mended is no failure any more', async () => {
  await setFailureLimit(output, run, 2, signal);
  await putCommit(output, exampleCommit(0, { ok: 4, failed: 4 }));
  await expect(enforce()).rejects.toMatchObject(refused);
  await putCommit(output, exampleCommit(0, { revision: 1, rows: 4, ok: 2, failed: 2 }));
  await enforce();
});

test('the limit of whoever took the run up last holds', async () => {
  await putCommit(output, exampleCommit(0, { ok: 4, failed: 4 }));
  await setFailureLimit(output, run, 2, signal);
  await expect(enforce()).rejects.toMatchObject(refused);
  await setFailureLimit(output, run, 4, signal);
  await enforce();
  await setFailureLimit(output, run, 0, signal);
  await setFailureLimit(output, run, null, signal);
  await enforce();
});
