import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable } from './printable.ts';

test('nothing that a terminal obeys gets through', () => {
  expect(printable('a\u001b[31mb\nc\u202e\u2028ä')).toBe('a\\u001b[31mb\\u000ac\\u202e\\u2028ä');
  expect(printable('\ufffe😀\ud800')).toBe('\\ufffe😀\\ud800');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});
