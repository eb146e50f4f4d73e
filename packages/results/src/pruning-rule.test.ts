import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FilterSummary } from '@filterscope/statistics/summary';
import { drops, formatPruningRule, parsePruningRule, type PruningRule } from './pruning-rule.ts';

const filter = (given: Partial<FilterSummary>): FilterSummary => ({
  layer: 'block5_conv3',
  filter: 17,
  images: 100,
  blank: 0,
  blankRate: 0,
  blankRateLow: 0,
  blankRateHigh: 0,
  zeroShare: 0,
  zeroShareLow: 0,
  zeroShareHigh: 0,
  maxActivation: 1,
  meanMax: 1,
  dead: false,
  deadBound: null,
  moreImages: 0,
  ...given,
});

describe('which filters a rule drops', () => {
  test.each<[rule: string, given: Partial<FilterSummary>, dropped: boolean]>([
    ['zeros > 0.9', { zeroShare: 0.91 }, true],
    ['zeros > 0.9', { zeroShare: 0.9 }, false],
    ['zeros >= 0.9', { zeroShare: 0.9 }, true],
    ['zeros>90%', { zeroShare: 0.91 }, true],
    ['zeros < .1', { zeroShare: 0.05 }, true],
    ['zeros <= 0', { zeroShare: 0 }, true],
    ['zeros.low > 0.9', { zeroShare: 0.95, zeroShareLow: 0.89 }, false],
    ['zeros.low > 0.9', { zeroShare: 0.95, zeroShareLow: 0.91 }, true],
    ['zeros.high > 0.9', { zeroShare: 0.85, zeroShareHigh: 0.91 }, true],
    ['zeros.low > 0.9', { zeroShare: 1, zeroShareLow: null }, false],
    ['zeros < 0.9', { zeroShare: null }, false],
    ['blank', { blankRate: 0.51 }, true],
    ['blank', { blankRate: 0.5 }, false],
    ['blank > 99%', { blankRate: 0.995 }, true],
    ['blank.low > 0.5', { blankRate: 0.6, blankRateLow: 0.4 }, false],
    ['blank.high < 0.5', { blankRate: 0.3, blankRateHigh: 0.4 }, true],
    ['dead', { dead: true }, true],
    ['dead', { blankRate: 0.999 }, false],
    ['DEAD or Zeros > 0.9', { zeroShare: 0.95 }, true],
    ['dead and zeros > 0.9', { zeroShare: 0.95 }, false],
    // and binds closer than or
    ['dead or blank and zeros > 0.9', { dead: true, blankRate: 0 }, true],
    ['(dead or blank) and zeros > 0.9', { dead: true, zeroShare: 0.5 }, false],
    ['blank and zeros > 0.5 or dead', { dead: true }, true],
  ])('%s of %o: %s', (rule, given, dropped) => {
    expect(drops(parsePruningRule(rule), filter(given))).toBe(dropped);
  });

  test('shares in per cent are those in decimals', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000 }), (n) => {
        const text = (n / 100).toFixed(2);
        expect(parsePruningRule(`zeros > ${text}%`)).toEqual(
          parsePruningRule(`zeros > ${(n / 10_000).toFixed(4)}`),
        );
      }),
    );
  });
});

const { rule } = fc.letrec<{ rule: PruningRule; joined: PruningRule; leaf: PruningRule }>((tie) => ({
  rule: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('joined')),
  joined: fc.record({
    kind: fc.constantFrom('and', 'or'),
    parts: fc.array(tie('rule'), { minLength: 2, maxLength: 3 }),
  }),
  leaf: fc.oneof(
    fc.constant<PruningRule>({ kind: 'dead' }),
    fc.record({
      kind: fc.constant('measure'),
      measure: fc.constantFrom('zeros', 'zeros.low', 'zeros.high', 'blank', 'blank.low', 'blank.high'),
      comparison: fc.constantFrom('>', '>=', '<', '<='),
      share: fc.integer({ min: 0, max: 1000 }).map((n) => n / 1000),
    }),
  ),
}));

test('a rule that was written reads back as itself', () => {
  fc.assert(
    fc.property(rule, (given) => {
      expect(parsePruningRule(formatPruningRule(given))).toEqual(given);
    }),
  );
});

test('and and or are those of logic', () => {
  fc.assert(
    fc.property(rule, rule, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), (a, b, share, dead) => {
      const given = filter({ zeroShare: share, blankRate: 1 - share, zeroShareLow: share / 2, dead });
      const [inA, inB] = [drops(a, given), drops(b, given)];
      const both = (word: string) =>
        parsePruningRule(`(${formatPruningRule(a)}) ${word} (${formatPruningRule(b)})`);
      expect(drops(both('and'), given)).toBe(inA && inB);
      expect(drops(both('or'), given)).toBe(inA || inB);
    }),
  );
});

describe('what is wrong is pointed at', () => {
  test.each([
    ['', 0, 'expected dead'],
    ['  zeros', 7, 'expected a comparison'],
    ['zeros > ', 7, 'expected a share'],
    ['zeros > 90', 8, 'a share is from 0 to 1'],
    ['zeros > 101%', 8, 'a share is from 0 to 1'],
    ['zeros == 0.5', 6, 'no part of a rule'],
    ['zeros > 0.9 or foo', 15, 'expected dead'],
    ['blank > 0.5 and', 15, 'expected dead'],
    ['(dead', 5, 'a closing bracket is missing'],
    ['dead)', 4, 'expected and, or, or the end'],
    ['dead zeros > 0.1', 5, 'expected and, or, or the end'],
    ['zeros > 0.9; drop', 11, 'no part of a rule'],
  ])('%o at %i: %s', (text, at, what) => {
    expect(() => parsePruningRule(text)).toThrow(
      expect.objectContaining({
        code: 'bad-rule',
        message: expect.stringContaining(what) as string,
      }) as Error,
    );
    try {
      parsePruningRule(text);
    } catch (error) {
      const caret = (error as Error).message.split('\n').at(-1)!;
      expect(caret.indexOf('^') - 2).toBe(at);
    }
  });
});
