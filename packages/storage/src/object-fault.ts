import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/**
 * Codes of what can be wrong with one object while the store is well: gone, not to be read, put away on tape, not a file, or
 * under an impossible name. Every other error of a store is about the store, the way to it, or the credentials.
 */
const CODES = new Set([
  'object-missing',
  'object-forbidden',
  'object-archived',
  'not-a-file',
  'not-a-folder',
  'name-too-long',
  'bad-key',
]);

/** Whether an error of a store is about the one object that was asked for, and says nothing about others. */
export function isObjectFault(error: unknown): error is FilterscopeError {
  return error instanceof FilterscopeError && error.class === 'permanent' && CODES.has(error.code);
}
