import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FilterscopeError, type ErrorClass } from '@filterscope/errors/filterscope-error';
import { delayMs, dispositionOf, type Disposition } from './disposition.ts';

/** Every error that the project raises, also those no worker meets: a code, its class, what becomes of a job that ends with it. */
const TABLE = `
  run-cancelled permanent drop
  run-deleted permanent drop
  run-failed permanent drop
  too-many-failures permanent drop
  unknown-run permanent drop

  engine-unavailable permanent later
  no-region permanent later
  output-not-allowed permanent later
  untrusted-certificate permanent later
  wrong-region permanent later

  bad-credentials transient later
  clock-skewed transient later
  encoding-failed transient later
  engine-failed transient later
  expired-credentials transient later
  no-credentials transient later
  redis-full transient later
  redis-unavailable transient later
  store-full transient later
  store-unavailable transient later
  weights-unavailable transient later
  worker-stuck transient later

  ambiguous-run permanent give-up
  bad-chunk-size permanent give-up
  bad-environment permanent give-up
  bad-flavour permanent give-up
  bad-job permanent give-up
  bad-key permanent give-up
  bad-kms-key permanent give-up
  bad-labels permanent give-up
  bad-position permanent give-up
  bad-query permanent give-up
  bad-rule permanent give-up
  bad-safetensors permanent give-up
  bad-tensor permanent give-up
  bad-url permanent give-up
  bad-weights-file permanent give-up
  broken-manifest permanent give-up
  broken-object permanent give-up
  bucket-missing permanent give-up
  cache-unwritable permanent give-up
  checksum-mismatch permanent give-up
  chunks-missing permanent give-up
  dataset-missing permanent give-up
  dataset-away transient later
  dataset-not-a-folder permanent give-up
  duplicates-need-readings permanent give-up
  engine-closed permanent give-up
  image-unreadable permanent give-up
  interrupted permanent give-up
  labels-unknown permanent give-up
  list-forbidden permanent give-up
  missing-layer permanent give-up
  name-too-long permanent give-up
  no-images permanent give-up
  no-readings permanent give-up
  no-results permanent give-up
  object-archived permanent give-up
  object-forbidden permanent give-up
  object-missing permanent give-up
  output-is-dataset permanent give-up
  nothing-in-common permanent give-up
  not-a-file permanent give-up
  not-a-folder permanent give-up
  not-for-terminals permanent give-up
  port-taken permanent give-up
  redis-refused permanent give-up
  rows-lost permanent give-up
  same-run permanent give-up
  store-read-only permanent give-up
  store-refused permanent give-up
  stopped-early permanent give-up
  too-few-clusters permanent give-up
  unknown-class permanent give-up
  unknown-filter permanent give-up
  unknown-image permanent give-up
  unknown-layer permanent give-up
  unsupported-url permanent give-up
  until-with-duplicates permanent give-up
  weights-missing permanent give-up
`
  .split('\n')
  .map((line) => line.trim().split(' '))
  .filter((row): row is [string, ErrorClass, Disposition] => row.length === 3);

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Codes as they stand in the source, with their class where it stands there too. */
function raised(): Map<string, string | undefined> {
  const files = globSync(['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'], { cwd: ROOT });
  const codes = new Map<string, string | undefined>();
  for (const file of files.filter((name) => !name.endsWith('.test.ts'))) {
    const source = readFileSync(join(ROOT, file), 'utf8');
    for (const { 1: code, index } of source.matchAll(/new FilterscopeError\(\s*'([a-z-]+)'/g)) {
      const [statement] = source.slice(index).split(';\n');
      codes.set(code, /class: '(\w+)'/.exec(statement)?.[1] ?? codes.get(code));
    }
    // The kinds of errors of a folder and of S3.
    if (file.endsWith('folder-error.ts')) {
      for (const [, code] of source.matchAll(/make\(\s*'([a-z-]+)'/g)) codes.set(code, codes.get(code));
    }
    for (const [, code, cls] of source.matchAll(/S3ErrorKind = \[\s*'([a-z-]+)',\s*'([a-z]+)'/g)) {
      codes.set(code, cls);
    }
  }
  return codes;
}

describe('what becomes of a job', () => {
  test.each(TABLE)('%s (%s): %s', (code, cls, disposition) => {
    const error = new FilterscopeError(code, 'as it were', { class: cls });
    expect(dispositionOf(error, false)).toBe(disposition);
    expect(dispositionOf(error, true)).toBe('hand-back');
  });

  test('no code is without a row, and no row without a code', () => {
    const codes = raised();
    expect(codes.size).toBeGreaterThan(50);
    expect([...codes.keys()].toSorted()).toEqual(TABLE.map(([code]) => code).toSorted());
  });

  test('the classes in the table are those of the source', () => {
    const said = [...raised()].filter(([, cls]) => cls !== undefined);
    expect(said.length).toBeGreaterThan(20);
    const table = new Map<string, string>(TABLE.map(([code, cls]) => [code, cls]));
    expect(said).toEqual(said.map(([code]) => [code, table.get(code)]));
  });

  test('a code nobody thought of goes by its class', () => {
    const classes = ['transient', 'permanent', 'poison'] as const;
    const errors = classes.map((cls) => new FilterscopeError('new', 'new', { class: cls }));
    expect(errors.map((error) => dispositionOf(error, false))).toEqual(['later', 'give-up', 'give-up']);
  });

  test.each([new Error('any'), new TypeError('any'), 'text', undefined, { code: 'run-cancelled' }])(
    'an error nobody knows (%s) counts',
    (error) => {
      expect(dispositionOf(error, false)).toBe('count');
      expect(dispositionOf(error, true)).toBe('hand-back');
    },
  );

  test.each([
    ['ReplyError', "OOM command not allowed when used memory > 'maxmemory'."],
    ['ReplyError', 'READONLY You can’t write against a read only replica.'],
    ['ReplyError', 'LOADING Redis is loading the dataset in memory'],
    ['MaxRetriesPerRequestError', 'Reached the max retries per request limit'],
    ['Error', 'Connection is closed.'],
  ])('trouble of Redis itself (%s: %s) uses no attempt up', (name, message) => {
    const error = Object.assign(new Error(message), { name });
    expect(dispositionOf(error, false)).toBe('later');
  });
});

describe('how long until the next start', () => {
  test('doubles up to a minute', () => {
    const delays = [0, 1, 2, 3, 6, 7, 8, 1e9].map((starts) => delayMs(starts, () => 0.5));
    expect(delays).toEqual([1_000, 1_000, 2_000, 4_000, 32_000, 60_000, 60_000, 60_000]);
  });

  test('is never more than a quarter off', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (starts, random) => {
          const base = delayMs(starts, () => 0.5);
          const delay = delayMs(starts, () => random);
          expect(delay).toBeGreaterThanOrEqual(0.75 * base);
          expect(delay).toBeLessThanOrEqual(1.25 * base);
          expect(Number.isInteger(delay)).toBe(true);
        },
      ),
    );
  });
});
