import { expect, test } from 'vitest';
import type { RunSettings } from './run-document.ts';
import { runIdOf } from './run-id.ts';
import { exampleRun } from './test-support/example-run.ts';

const { settings } = exampleRun();
const parts = { manifest: 'm', labelled: false, weights: 'w', settings };

test('is the same for the same work', () => {
  expect(runIdOf(parts)).toMatch(/^[0-9a-f]{64}$/);
  const reordered = Object.fromEntries(Object.entries(settings).toReversed()) as RunSettings;
  expect(runIdOf({ ...parts, settings: reordered })).toBe(runIdOf(parts));
});

test('changes with every ingredient', () => {
  const other: Partial<RunSettings>[] = [
    { layers: ['block1_conv1'] },
    { fit: 'stretch' },
    { kernel: 'lanczos' },
    { grids: 'all' },
    { grids: { first: 17 } },
    { grids: { percent: 16 } },
    { gridStyle: 'tile' },
    { gridStyle: null },
    { gridFormat: 'png' },
    { readings: 'none' },
    { topK: 4 },
    { countDuplicates: 'once' },
    { until: { halfWidth: 0.01, of: 'all' } },
    { until: { halfWidth: 0.01, of: 'layers' } },
    { until: { halfWidth: 0.02, of: 'all' } },
  ];
  const ids = [
    runIdOf(parts),
    runIdOf({ ...parts, manifest: 'm2' }),
    runIdOf({ ...parts, weights: 'w2' }),
    runIdOf({ ...parts, labelled: true }),
    ...other.map((change) => runIdOf({ ...parts, settings: { ...settings, ...change } })),
  ];
  expect(new Set(ids).size).toBe(ids.length);
  // Every setting is among them: one that is added must be thought of here.
  expect(new Set(other.flatMap(Object.keys))).toEqual(new Set(Object.keys(settings)));
});
