import { InvalidArgumentError } from 'commander';
import { describe, expect, test } from 'vitest';
import {
  age,
  failureLimit,
  filterName,
  gridSelection,
  pairLimit,
  pngFile,
  positiveInteger,
  precision,
  topListLength,
} from './parse-options.ts';

describe.each([
  [positiveInteger, { '1': 1, '42': 42, '007': 7 }, ['0', '-1', '1.5', '1e3', '', ' 1', '٣', '9'.repeat(20)]],
  [
    gridSelection,
    {
      all: 'all',
      none: 'none',
      '16': { first: 16 },
      '5%': { percent: 5 },
      '0.5%': { percent: 0.5 },
      '100%': { percent: 100 },
    },
    ['0', '0%', '101%', '-1', '5 %', '', 'some', '1.5', '9'.repeat(20)],
  ],
  [topListLength, { '0': 0, '16': 16, '64': 64 }, ['65', '-1', '1.5', '', 'all']],
  [
    pngFile,
    { 'sheet.png': 'sheet.png', '/a/b.PNG': '/a/b.PNG' },
    ['', '.png', 'a/.png', 'sheet', 'sheet.jpg'],
  ],
  [
    precision,
    {
      '±1pp': { halfWidth: 0.01, of: 'all' },
      '1pp': { halfWidth: 0.01, of: 'all' },
      '+-1pp': { halfWidth: 0.01, of: 'all' },
      '±0.5pp': { halfWidth: 0.005, of: 'all' },
      'layers:±1pp': { halfWidth: 0.01, of: 'layers' },
      'layers:2.5pp': { halfWidth: 0.025, of: 'layers' },
    },
    ['±1', '1%', '0pp', '-1pp', '51pp', 'filters:±1pp', '±±1pp', '1 pp', ''],
  ],
  [
    failureLimit,
    { '0': { images: 0 }, '10': { images: 10 }, '0%': { percent: 0 }, '2.5%': { percent: 2.5 } },
    ['-1', '100.5%', '1.5', 'many', '', '%', '9'.repeat(20)],
  ],
  [
    pairLimit,
    { '1': 1, '10000': 10_000, all: Infinity, none: 0 },
    ['0', '-1', '1.5', '', 'some', '9'.repeat(20)],
  ],
  [
    filterName,
    {
      'block5_conv3/17': { layer: 'block5_conv3', filter: 17 },
      'block1_conv1/0': { layer: 'block1_conv1', filter: 0 },
    },
    ['block5_conv3', 'block5_conv3/', '/17', 'block5_conv3/x', 'a/b/1', 'block5_conv3/-1', ''],
  ],
  [
    age,
    { '0m': 0, '90m': 5_400_000, '24h': 86_400_000, '7d': 604_800_000 },
    ['', '7', 'd', '-1h', '1.5h', '1w'],
  ],
] as const)(
  '%o',
  (parse: (text: string) => unknown, good: Record<string, unknown>, bad: readonly string[]) => {
    test.each(Object.entries(good))('reads %s', (text, value) => {
      expect(parse(text)).toEqual(value);
    });
    test.each(bad)('refuses "%s"', (text) => {
      expect(() => parse(text)).toThrow(InvalidArgumentError);
    });
  },
);
