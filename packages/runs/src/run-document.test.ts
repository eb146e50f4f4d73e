import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunkCount, chunkRows, measuredLayers } from './run-document.ts';
import { exampleRun } from './test-support/example-run.ts';

test('chunks partition the manifest: every row is in exactly one, none is empty', () => {
  const size = fc.integer({ min: 1, max: 400 });
  fc.assert(
    fc.property(size, size, (rows, chunkSize) => {
      const run = exampleRun({ manifest: { digest: 'd', rows, images: rows }, chunkSize });
      const chunks = Array.from({ length: chunkCount(run) }, (_, chunk) => chunkRows(run, chunk));
      const covered = chunks.flatMap(({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i));
      expect(covered).toEqual(Array.from({ length: rows }, (_, row) => row));
      for (const { from, to } of chunks) {
        expect(to).toBeGreaterThan(from);
        expect(to - from).toBeLessThanOrEqual(chunkSize);
      }
    }),
  );
});

test('measured layers are in network order, however they were named', () => {
  const { settings } = exampleRun();
  const run = exampleRun({ settings: { ...settings, layers: ['block5_conv3', 'block1_conv2'] } });
  expect(measuredLayers(run).map(({ layer }) => layer)).toEqual(['block1_conv2', 'block5_conv3']);
});
