import { expect, test } from 'vitest';
import { requireAllowed } from './allowed-outputs.ts';

const ALLOWED = ['s3://results/filterscope', 's3://other/', '/data/out'];

test.each([
  's3://results/filterscope',
  's3://results/filterscope/team',
  's3://other/x',
  '/data/out',
  '/data/out/a..b',
])('%s is allowed', (output) => {
  expect(() => requireAllowed(output, ALLOWED)).not.toThrow();
});

test.each([
  's3://results',
  's3://results/filterscope2',
  's3://results/filterscope/../secret',
  'S3://results/filterscope',
  '/data/output',
  '/data/out/..',
  'data/out',
  '',
])('%j is not', (output) => {
  expect(() => requireAllowed(output, ALLOWED)).toThrow('this worker may not touch');
  expect(() => requireAllowed(output, null)).not.toThrow();
});

test('an empty list allows nothing', () => {
  expect(() => requireAllowed('s3://results', [])).toThrow();
});
