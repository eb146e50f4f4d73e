import { CommanderError } from 'commander';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  failedImages: 3,
  notFound: 4,
  unavailable: 5,
  interrupted: 130,
} as const;

const NOT_FOUND = new Set([
  'dataset-missing',
  'bucket-missing',
  'no-images',
  'no-results',
  'unknown-run',
  'unknown-image',
  'unknown-class',
  'unknown-filter',
  'object-missing',
]);

/** Transient, because the work is right and goes on once they are put right; but trying again later is of no use. */
const CONFIGURATION = new Set(['bad-credentials', 'no-credentials', 'expired-credentials', 'clock-skewed']);

/** The exit code that an error stands for. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (!(error instanceof FilterscopeError)) return EXIT.unexpected;
  if (CONFIGURATION.has(error.code)) return EXIT.usage;
  if (error.class === 'transient') return EXIT.unavailable;
  if (error.code === 'too-many-failures' || error.code === 'run-failed') return EXIT.failedImages;
  if (error.code === 'broken-object' || error.code === 'rows-lost') return EXIT.unexpected;
  return NOT_FOUND.has(error.code) ? EXIT.notFound : EXIT.usage;
}
