import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { wilson } from './intervals.ts';
import { ONE_LOOK, rateInterval, REPEATED_LOOKS } from './reach.ts';

test('z by hand', () => {
  // ρ² = (5.991465 + ln 6.991465) / 4096 = 7.936155 / 4096 = 0.001937538
  // n = 4096: √(2 × 8.936155/7.936155 × ln(√8.936155 / 0.05)) = √(2.252011 × 4.090785) = 3.035209
  expect(REPEATED_LOOKS.z(4096)).toBeCloseTo(3.035209, 6);
  // n = 1024: u = 1.984039: √(2 × 2.984039/1.984039 × ln(√2.984039 / 0.05)) = √(3.008045 × 3.542371) = 3.264293
  expect(REPEATED_LOOKS.z(1024)).toBeCloseTo(3.264293, 6);
  expect(ONE_LOOK.z(1024)).toBeCloseTo(1.95996, 5);
});

test('it is smallest at about 4,096 images, and intervals get narrower all the time', () => {
  const numbers = fc.integer({ min: 2, max: 10_000_000 });
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      expect(REPEATED_LOOKS.z(a)).toBeGreaterThan(REPEATED_LOOKS.z(4096) - 0.0001);
      const [few, many] = [Math.min(a, b), Math.max(a, b)];
      fc.pre(few < many);
      expect(REPEATED_LOOKS.z(many) / Math.sqrt(many)).toBeLessThan(REPEATED_LOOKS.z(few) / Math.sqrt(few));
    }),
  );
});

test('an end that rests on fewer than ten images is 0 or 1', () => {
  const z = REPEATED_LOOKS.z(2000);
  expect(rateInterval(9, 2000, REPEATED_LOOKS)).toEqual({ low: 0, high: wilson(9, 2000, z)?.high });
  expect(rateInterval(10, 2000, REPEATED_LOOKS)).toEqual(wilson(10, 2000, z));
  expect(rateInterval(1991, 2000, REPEATED_LOOKS)).toEqual({ low: wilson(1991, 2000, z)?.low, high: 1 });
  expect(rateInterval(1, 2000, ONE_LOOK)).toEqual(wilson(1, 2000));
  expect(rateInterval(0, 0, REPEATED_LOOKS)).toBeNull();
});
