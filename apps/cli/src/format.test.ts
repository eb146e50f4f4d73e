import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  activation,
  bytes,
  count,
  duration,
  ending,
  percent,
  percentWithInterval,
  pointsWithInterval,
  probability,
  shortRun,
} from './format.ts';

test('numbers as people read them', () => {
  expect(count(1_234_567)).toBe('1,234,567');
  expect(percent(0.4711)).toBe('47.11 %');
  expect(percent(0.00012, 4)).toBe('0.0120 %');
  expect(percent(null)).toBe('–');
  expect(percentWithInterval(0.5, 0.4, 0.6)).toBe('50.00 % (40.00–60.00)');
  expect(percentWithInterval(0.5, null, null)).toBe('50.00 %');
  expect(percentWithInterval(null, null, null)).toBe('–');
  expect(pointsWithInterval(0.013, 0.0095, 0.0165)).toBe('+1.30 (+0.95 to +1.65)');
  expect(pointsWithInterval(-0.00004, -0.1, 0.00004)).toBe('0.00 (−10.00 to 0.00)');
  expect(pointsWithInterval(-1, null, null)).toBe('−100.00');
  expect([1, 0.99951, 0.9994, 0.0345, 0.001, 0.00096, 2.4e-9, 5e-324].map(probability)).toEqual([
    '1',
    '1',
    '0.999',
    '0.035',
    '0.001',
    '1e-3',
    '2e-9',
    '5e-324',
  ]);
  expect([0, 999, 1000, 1_234_567, 59_000_000, 8e9, 2.5e15].map(bytes)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.0 kB',
    '1.2 MB',
    '59 MB',
    '8.0 GB',
    '2500 TB',
  ]);
  expect([0.04, 9.94, 9.96, 59.4, 59.6, 125, 3725].map(duration)).toEqual([
    '0.0 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 0 s',
    '2 min 5 s',
    '1 h 2 min',
  ]);
  expect([null, 0, 0.000123456, 1.5, 999.96, 12_345.6].map(activation)).toEqual([
    '–',
    '0',
    '0.0001235',
    '1.500',
    '1000',
    '12,346',
  ]);
  expect(shortRun('0123456789abcdef'.repeat(4))).toBe('0123456789ab');
});

test('the ending of a text is as long as asked, whatever its characters', () => {
  expect(ending('images/cats/1.jpg', 8)).toBe('…s/1.jpg');
  expect(ending('1.jpg', 8)).toBe('1.jpg');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 2, max: 20 }), (text, width) => {
      const short = ending(text, width);
      const characters = Array.from(text);
      expect(Array.from(short)).toHaveLength(Math.min(width, characters.length));
      expect(text.endsWith(short.replace(/^…/, '')) || short === text).toBe(true);
    }),
  );
});
