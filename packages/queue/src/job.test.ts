import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import {
  completionId,
  isCrops,
  jobData,
  jobId,
  nameOf,
  parseJob,
  parseName,
  parsePlace,
  runKey,
  type UnitJob,
} from './job.ts';

const run = 'a1'.repeat(32);
const place = { output: 's3://bucket/results', run };
const data = { v: 1, output: place.output, run, chunk: 12 };

const arbitraryCode = fc.stringMatching(/^[a-z][a-z-]{0,20}$/);
const arbitraryPlace = fc.record({
  output: fc.oneof(
    fc.constantFrom('s3://b', 's3://b/a b/ü%+', '/data/out', 'C:\\out', 'file:///a..b/.c'),
    fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' }).map((name) => `s3://bucket/p${name}q`),
  ),
  run: fc.stringMatching(/^[0-9a-f]{64}$/),
});
const arbitraryJob: fc.Arbitrary<UnitJob> = fc.oneof(
  fc.record({ chunk: fc.maxSafeNat(), revision: fc.constant(0), codes: fc.constant(null) }),
  fc.record({
    chunk: fc.nat(),
    revision: fc.integer({ min: 1, max: 1000 }),
    codes: fc.option(fc.array(arbitraryCode, { minLength: 1, maxLength: 5 })),
  }),
  fc.record({ generation: fc.stringMatching(/^[0-9a-f]{16}$/), part: fc.maxSafeNat() }),
);

/** What the queue hands on: everything has been JSON. */
const throughRedis = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown;

test('a job comes back from Redis as it was, and so does its name', () => {
  fc.assert(
    fc.property(arbitraryPlace, arbitraryJob, (place, job) => {
      fc.pre(!/[\\/]\.{1,2}([\\/]|$)/.test(place.output));
      const kind = isCrops(job) ? 'crops' : 'chunk';
      const parsed = parseJob(kind, throughRedis(jobData(place, job)));
      expect(parsed).toEqual({ kind, place, job });
      expect(parseName(nameOf(job))).toEqual(job);
      expect(parsePlace(JSON.stringify(place))).toEqual(place);
    }),
  );
});

test('different jobs have different ids, and BullMQ takes them', () => {
  fc.assert(
    fc.property(arbitraryPlace, arbitraryJob, arbitraryJob, (place, one, other) => {
      const ids = [jobId(place, one), jobId(place, other), completionId(place)];
      for (const id of ids) expect(id).toMatch(/^r[0-9a-f]{20}-[^:]+$/);
      expect(ids[0] === ids[1]).toBe(nameOf(one) === nameOf(other));
      expect(ids.slice(0, 2)).not.toContain(ids[2]);
    }),
  );
});

test('the names that Redis holds', () => {
  expect(nameOf({ chunk: 12, revision: 0, codes: null })).toBe('12');
  expect(nameOf({ chunk: 12, revision: 1, codes: null })).toBe('12/1/');
  expect(nameOf({ chunk: 12, revision: 1, codes: ['poison', 'truncated'] })).toBe('12/1/poison,truncated');
});

test('the same run below two outputs is two', () => {
  expect(runKey(place)).not.toBe(runKey({ ...place, output: `${place.output}/` }));
});

test('a first pass carries nothing of a retry', () => {
  expect(jobData(place, { chunk: 12, revision: 0, codes: null })).toEqual(data);
});

test('a completion is of a run alone', () => {
  const { chunk: _, ...complete } = data;
  expect(parseJob('complete', complete)).toEqual({ kind: 'complete', place });
  expect(problemOf('complete', data)).toContain('chunk');
});

function problemOf(name: string, value: unknown): string {
  try {
    parseJob(name, value);
  } catch (error) {
    expect(error).toBeInstanceOf(FilterscopeError);
    const { code, class: cls, message } = error as FilterscopeError;
    expect([code, cls]).toEqual(['bad-job', 'permanent']);
    return message;
  }
  throw new Error(`taken: ${JSON.stringify(value)}`);
}

test.each([
  ['v', { ...data, v: 2 }],
  ['v', { ...data, v: '1' }],
  ['output', { ...data, output: '' }],
  ['output', { ...data, output: 'x'.repeat(2049) }],
  ['output', { ...data, output: null }],
  ['run', { ...data, run: '../../etc' }],
  ['run', { ...data, run: run.toUpperCase() }],
  ['run', { ...data, run: `${run}\n` }],
  ['chunk', { ...data, chunk: -1 }],
  ['chunk', { ...data, chunk: 1.5 }],
  ['chunk', { ...data, chunk: 2 ** 53 }],
  ['chunk', { ...data, chunk: null }],
  ['chunk', { ...data, chunk: '12' }],
  ['revision', { ...data, revision: -1 }],
  ['codes', { ...data, revision: 1, codes: [] }],
  ['codes', { ...data, revision: 1, codes: 'poison' }],
  ['codes', { ...data, revision: 1, codes: Array.from({ length: 101 }, () => 'poison') }],
  ['codes.1', { ...data, revision: 1, codes: ['poison', 'a:b'] }],
  ['codes.0', { ...data, revision: 1, codes: ['x'.repeat(65)] }],
  ['dataset', { ...data, dataset: 's3://elsewhere' }],
  ['__proto__', JSON.parse(`{"__proto__":{"chunk":1},"v":1,"output":"s3://b","run":"${run}","chunk":1}`)],
  ['data', null],
  ['data', []],
  ['data', 'text'],
  ['data', undefined],
])('a bad %s is said', (field, value) => {
  expect(problemOf('chunk', value)).toContain(field);
});

test.each(['', 'chunks', 'Complete', '__proto__', 'constructor', 'toString'])(
  'a job of the name %j is not carried out',
  (name) => {
    expect(problemOf(name, data)).toContain(JSON.stringify(name));
  },
);

test.each([
  's3://bucket/results/../others',
  '/data/out/..',
  '../out',
  './out',
  '..',
  'file:///data/%2e%2e/etc',
  'file:///data/.%2E/etc',
  'file:///data/..\\..\\etc',
  'file:///data/.\t./etc',
  'file:///data/x\n',
])('the output %j, which leads elsewhere, is refused', (output) => {
  expect(problemOf('chunk', { ...data, output })).toContain('output');
  expect(parsePlace(JSON.stringify({ output, run }))).toBeUndefined();
});

test.each([
  '',
  '-1',
  '1.5',
  'x',
  '1/',
  '1/2',
  '1/2/A',
  '1/2/a:b',
  '1/2/a,,b',
  '1/2/a/b',
  ' 1',
  '1e3',
  '9'.repeat(17),
])('nothing is made of the name %j', (name) => {
  expect(parseName(name)).toBeUndefined();
});

test.each(['', 'null', '{', '[]', '{"output":"s3://b"}', `{"output":7,"run":"${run}"}`])(
  'nothing is made of the place %j',
  (text) => {
    expect(parsePlace(text)).toBeUndefined();
  },
);
