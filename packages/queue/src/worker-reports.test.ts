import { expect, test } from 'vitest';
import { parseReport, type WorkerReport } from './worker-reports.ts';

const report: WorkerReport = {
  worker: 'host-1-abc',
  host: 'host',
  pid: 1,
  engine: null,
  threads: 2,
  imagesPerSecond: 12.5,
  busyShare: 0.97,
  runs: ['a1'],
  startedAt: '2026-11-24T18:00:00.000Z',
  reportedAt: '2026-11-24T18:00:05.000Z',
};

test('a report comes back as it was sent', () => {
  expect(parseReport(JSON.stringify(report))).toEqual(report);
});

test('what a later version adds is left out', () => {
  expect(parseReport(JSON.stringify({ ...report, gpu: 'H100' }))).toEqual(report);
});

test.each([
  null,
  '',
  '{',
  'null',
  '[]',
  JSON.stringify({ ...report, threads: 'two' }),
  JSON.stringify({ ...report, engine: { name: 'onnx-cpu' } }),
  JSON.stringify({ ...report, startedAt: 'yesterday' }),
  JSON.stringify({ ...report, busyShare: null }),
])('what is no report is ignored: %s', (text) => {
  expect(parseReport(text)).toBeUndefined();
});
