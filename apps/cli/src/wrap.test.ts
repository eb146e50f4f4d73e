import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrap } from './wrap.ts';

test('breaks between words, and nowhere else', () => {
  expect(wrap('one two three four', 9)).toBe('one two\nthree\nfour');
  expect(wrap('one extraordinarily two', 5)).toBe('one\nextraordinarily\ntwo');
  const words = fc.array(fc.stringMatching(/^[a-zä–]{1,12}$/), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(words, fc.integer({ min: 12, max: 40 }), (words, width) => {
      const lines = wrap(words.join(' '), width).split('\n');
      expect(lines.join(' ')).toBe(words.join(' '));
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    }),
  );
});
