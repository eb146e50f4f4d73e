import { expect, test } from 'vitest';
import { copySource, decodeListedKey, fitsXml } from './s3-key.ts';

test.each([
  ['a+b', 'a b'],
  ['a%20b', 'a b'],
  ['1%2B1', '1+1'],
  ['100%25', '100%'],
  ['%252F', '%2F'],
  ['line%0Abreak', 'line\nbreak'],
  ['folder/%C3%A4%F0%9D%84%9E', 'folder/ä𝄞'],
])('%j is the key %j', (encoded, key) => {
  expect(decodeListedKey(encoded)).toBe(key);
});

test('a key that is not UTF-8 is named', () => {
  expect(() => decodeListedKey('a%FFb')).toThrow(expect.objectContaining({ code: 'bad-key' }));
});

test('the source of a copy is encoded, its slashes are not', () => {
  expect(copySource('bucket', 'a b/ä+%/?')).toBe('bucket/a%20b/%C3%A4%2B%25/%3F');
});

test('control characters do not fit XML, line breaks do', () => {
  expect(['a\tb\nc\rd', 'ä𝄞', '\u0001', '\uffff'].map(fitsXml)).toEqual([true, true, false, false]);
});
