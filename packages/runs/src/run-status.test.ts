import { expect, test } from 'vitest';
import { statusOf } from './run-status.ts';
import { exampleCommit, exampleRun } from './test-support/example-run.ts';

const at = (seconds: number) => new Date(Date.parse('2024-05-06T07:08:00.000Z') + seconds * 1000);
const iso = (seconds: number) => at(seconds).toISOString();

test('before the first commit nothing is known but the size', () => {
  expect(statusOf(exampleRun(), 'running', [], at(0))).toEqual({
    run: '0'.repeat(64),
    state: 'running',
    images: 100,
    ok: 0,
    failed: 0,
    skipped: 0,
    reused: 0,
    duplicates: null,
    stoppedAt: null,
    chunks: 13,
    committed: 0,
    imagesPerSecond: null,
    etaSeconds: null,
    crops: null,
    engine: null,
    synthetic: true,
  });
});

test('what a retry redid had failed before', () => {
  const commits = [
    exampleCommit(0, { ok: 6, failed: 2 }),
    exampleCommit(1, { ok: 7, skipped: 1 }),
    exampleCommit(0, { revision: 1, rows: 2, ok: 2 }),
  ];
  const status = statusOf(exampleRun(), 'complete', commits, at(10));
  expect(status).toMatchObject({ ok: 15, failed: 0, skipped: 1, committed: 2, etaSeconds: null });
});

test('the rate is that of the last minute, the work of all workers together', () => {
  const two = [
    exampleCommit(0, { startedAt: iso(0), committedAt: iso(4) }),
    exampleCommit(1, { startedAt: iso(1), committedAt: iso(5) }),
  ];
  // 16 images from 0 s to 5 s; 84 are left.
  expect(statusOf(exampleRun(), 'running', two, at(6))).toMatchObject({
    imagesPerSecond: 3.2,
    etaSeconds: 84 / 3.2,
  });
  const old = exampleCommit(2, { startedAt: iso(-3600), committedAt: iso(-3590) });
  expect(statusOf(exampleRun(), 'running', [old, ...two], at(6)).imagesPerSecond).toBe(3.2);
});

test('images taken from earlier runs are in the time left, not in the rate', () => {
  const commits = [
    exampleCommit(0, { reused: 6, startedAt: iso(0), committedAt: iso(4) }),
    exampleCommit(1, { reused: 8, startedAt: iso(1), committedAt: iso(5) }),
  ];
  expect(statusOf(exampleRun(), 'running', commits, at(6))).toMatchObject({
    reused: 14,
    imagesPerSecond: 2 / 5,
    etaSeconds: (84 / 16) * 5,
  });
});

test('where nobody has been at work for two minutes there is no estimate', () => {
  const commits = [exampleCommit(0)];
  expect(statusOf(exampleRun(), 'running', commits, at(121)).etaSeconds).toBe(92 / 4);
  expect(statusOf(exampleRun(), 'running', commits, at(123)).etaSeconds).toBeNull();
});

test('every engine that took part is named', () => {
  const other = { name: 'onnx-cpu', version: '1.29.0', processor: 'x64-avx2' };
  const commits = [exampleCommit(0), exampleCommit(1), exampleCommit(2, { engine: other })];
  expect(statusOf(exampleRun(), 'running', commits, at(3)).engine).toBe('onnx-cpu 1.29.0, onnx-cpu 1.30.0');
});
