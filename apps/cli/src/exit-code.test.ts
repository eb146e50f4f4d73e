import { CommanderError } from 'commander';
import { expect, test } from 'vitest';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { exitCodeOf } from './exit-code.ts';

test.each([
  [new Error('a mistake of ours'), 1],
  ['not even an error', 1],
  [new CommanderError(1, 'commander.unknownOption', ''), 2],
  [new CommanderError(0, 'commander.helpDisplayed', ''), 0],
  [new FilterscopeError('unknown-layer', ''), 2],
  [new FilterscopeError('bad-query', ''), 2],
  [new FilterscopeError('store-read-only', ''), 2],
  [new FilterscopeError('too-many-failures', ''), 3],
  [new FilterscopeError('unknown-run', ''), 4],
  [new FilterscopeError('no-images', ''), 4],
  [new FilterscopeError('no-results', ''), 4],
  [new FilterscopeError('unknown-image', ''), 4],
  [new FilterscopeError('store-full', '', { class: 'transient' }), 5],
  [new FilterscopeError('weights-unavailable', '', { class: 'transient' }), 5],
  [new FilterscopeError('store-unavailable', '', { class: 'transient' }), 5],
  [new FilterscopeError('redis-unavailable', '', { class: 'transient' }), 5],
  [new FilterscopeError('redis-refused', ''), 2],
  [new FilterscopeError('bad-credentials', '', { class: 'transient' }), 2],
  [new FilterscopeError('bucket-missing', ''), 4],
  [new FilterscopeError('broken-object', ''), 1],
  [new FilterscopeError('rows-lost', ''), 1],
])('%s ends with %i', (error, code) => {
  expect(exitCodeOf(error)).toBe(code);
});
