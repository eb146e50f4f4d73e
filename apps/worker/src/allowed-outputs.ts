import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/**
 * Whether a worker may touch an output: it, or a URL above it, is on the list.
 * @param allowed null allows all
 * @throws FilterscopeError `output-not-allowed`; another worker may be allowed to.
 */
export function requireAllowed(output: string, allowed: readonly string[] | null): void {
  if (allowed === null) return;
  const within = (url: string) => output === url || output.startsWith(`${url.replace(/\/+$/, '')}/`);
  // A path with `..` in it could lead anywhere.
  if (!output.split('/').includes('..') && allowed.some(within)) return;
  throw new FilterscopeError(
    'output-not-allowed',
    `this worker may not touch ${output}; FILTERSCOPE_OUTPUTS allows ${allowed.join(', ')}`,
  );
}
