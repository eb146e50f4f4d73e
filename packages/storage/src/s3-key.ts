import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/**
 * A name in a listing of `encoding-type=url`. AWS writes a space as `+`, other servers as `%20`; `+` itself is `%2B` in both.
 * @throws FilterscopeError `bad-key` for bytes that are not UTF-8.
 */
export function decodeListedKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (error) {
    const message = `the listing holds a key that is not UTF-8, ${encoded}; rename or delete that object`;
    throw new FilterscopeError('bad-key', message, { cause: error });
  }
}

/** The value of the header `x-amz-copy-source`, which the SDK sends as it gets it. */
export function copySource(bucket: string, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/** Whether a key can stand in an XML document; DeleteObjects cannot name the others. */
export function fitsXml(key: string): boolean {
  // oxlint-disable-next-line no-control-regex
  return !/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/.test(key);
}
