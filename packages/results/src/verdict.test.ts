import { expect, test } from 'vitest';
import type { ComparisonRow } from '@filterscope/statistics/comparison';
import { verdict } from './verdict.ts';

const row = (given: Partial<ComparisonRow>): ComparisonRow => ({
  layer: 'block5_conv3',
  a: 0.4,
  b: 0.4,
  difference: 0,
  low: -0.01,
  high: 0.01,
  adjustedP: 1,
  change: 'same',
  zeroShareA: 0.9,
  zeroShareB: 0.9,
  zeroShareDifference: 0,
  zeroShareLow: -0.01,
  zeroShareHigh: 0.01,
  zeroShareAdjustedP: 1,
  ...given,
});
const dead = { a: 0.1, b: 1, difference: 0.9, adjustedP: 1e-9, change: 'newly-dead' } as const;

test('what changed, where, and how sure that is', () => {
  const filters = [
    ...Array.from({ length: 12 }, (_, filter) => row({ filter, ...dead })),
    row({ layer: 'block4_conv1', filter: 3, ...dead }),
    row({ filter: 12, adjustedP: 0.01, change: 'less-blank', difference: -0.1 }),
    ...Array.from({ length: 1500 }, (_, filter) => row({ filter: 100 + filter })),
  ];
  const layers = [
    row({
      a: 0.41,
      b: 0.47,
      difference: 0.06,
      low: 0.051,
      high: 0.069,
      adjustedP: 0.001,
      change: 'more-blank',
    }),
    row({
      layer: 'block4_conv1',
      zeroShareA: 0.9,
      zeroShareB: 0.8,
      zeroShareDifference: -0.1,
      zeroShareLow: -0.12,
      zeroShareHigh: -0.08,
      zeroShareAdjustedP: 0.05,
    }),
  ];
  expect(verdict({ layers, filters, adjust: 'bh' })).toEqual([
    'The blank rate of block5_conv3 is 41.00 % in A and 47.00 % in B: 6.00 points more (95 %: 5.10 to 6.90).',
    'The zero share of block4_conv1 is 90.00 % in A and 80.00 % in B: 10.00 points less (95 %: 8.00 to 12.00).',
    '13 filters became silent: blank on every image of B, and not of A (12 of block5_conv3 and 1 of block4_conv1).',
    '1 filter is blank less often in B (1 of block5_conv3).',
    'Of all that is called a difference, at most 5 % are expected to be none (Benjamini–Hochberg over 2 layers and 1,514 filters, each a family).',
  ]);
});

test('nothing found is said to be no more than that', () => {
  expect(verdict({ layers: [row({})], filters: null, adjust: 'by' })).toEqual([
    "No layer's blank rate differs, as far as this shows.",
    "No layer's zero share differs, as far as this shows.",
    'Of all that is called a difference, at most 5 % are expected to be none (Benjamini–Yekutieli over 1 layer, each a family).',
  ]);
});

test('of many layers the largest differences are spoken of, and the rest is counted', () => {
  const layers = [0.02, 0.05, 0.03, 0.01, 0.04].map((difference, i) =>
    row({ layer: `block5_conv${i}`, b: 0.4 + difference, difference, adjustedP: 0, change: 'more-blank' }),
  );
  const [first, second, third, rest] = verdict({ layers, filters: null, adjust: 'bh' });
  expect([first, second, third].map((sentence) => /block5_conv\d/.exec(sentence)?.[0])).toEqual([
    'block5_conv1',
    'block5_conv4',
    'block5_conv2',
  ]);
  expect(rest).toBe('The blank rate of 2 other layers differs, too.');
  const filters = layers.map(({ layer }, i) => row({ layer, filter: i, ...dead }));
  expect(verdict({ layers: [row({})], filters, adjust: 'bh' })[2]).toContain(
    '(1 of block5_conv0, 1 of block5_conv1, 1 of block5_conv2 and 2 of other layers)',
  );
});
