import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  attemptFolder,
  chunkCommitsFolder,
  chunkOfReadings,
  commitKey,
  commitsFolder,
  gridKey,
  indexFolder,
  manifestPartKey,
  parseCommitKey,
  readingsKey,
  runDocumentKey,
} from './run-keys.ts';

test('things lie where the design says', () => {
  expect(runDocumentKey('r')).toBe('runs/r/run.json');
  expect(manifestPartKey('r', 3)).toBe('runs/r/manifest/0000003.parquet');
  expect(attemptFolder('r', 12, 'a')).toBe('runs/r/chunks/0000012/a/');
  expect(gridKey('runs/r/chunks/0000012/a/', 99, 'block1_conv1', 'jpg')).toBe(
    'runs/r/chunks/0000012/a/grids/0000099/block1_conv1.jpg',
  );
  expect(commitKey('r', 12, 0)).toBe('runs/r/commits/0000012/0.json');
  expect(indexFolder('layers', 'r')).toBe('index/layers/run=r/');
  expect(readingsKey('r', 12, 1)).toBe('index/readings/run=r/0000012-1.parquet');
});

test('a commit’s key says which it is, and nothing else is taken for one', () => {
  fc.assert(
    fc.property(fc.nat({ max: 99_999_999 }), fc.nat({ max: 1000 }), (chunk, revision) => {
      const key = commitKey('r', chunk, revision);
      expect(parseCommitKey(key)).toEqual({ chunk, revision });
      expect(key.startsWith(chunkCommitsFolder('r', chunk))).toBe(true);
      expect(key.startsWith(commitsFolder('r'))).toBe(true);
    }),
  );
  for (const key of ['runs/r/run.json', 'runs/r/commits/x/0.json', 'runs/r/commits/1/0.json.tmp', '']) {
    expect(parseCommitKey(key), key).toBeUndefined();
  }
});

test('keys of a run sort by chunk, and no chunk’s folder is the beginning of another’s', () => {
  const chunk = fc.nat({ max: 9_999_999 });
  fc.assert(
    fc.property(chunk, chunk, (a, b) => {
      expect(commitKey('r', a, 0) < commitKey('r', b, 0)).toBe(a < b);
      if (a !== b) expect(attemptFolder('r', a, 'x').startsWith(chunkCommitsFolder('r', b))).toBe(false);
    }),
  );
});

test('whose readings an object holds is told by its key', () => {
  fc.assert(
    fc.property(fc.nat({ max: 9_999_999 }), (chunk) => {
      expect(chunkOfReadings(readingsKey('0'.repeat(64), chunk, 3))).toBe(chunk);
      expect(chunkOfReadings(`${attemptFolder('0'.repeat(64), chunk, 'mb3x-1f')}readings.parquet`)).toBe(
        chunk,
      );
    }),
  );
  expect(chunkOfReadings(manifestPartKey('r', 1))).toBeUndefined();
});
