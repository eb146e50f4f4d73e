import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { binEdges, binOfBits, HISTOGRAM_BINS } from './histogram.ts';

function binOf(value: number): number {
  return binOfBits(new Uint32Array(Float32Array.of(value).buffer)[0]);
}

test('a maximum lies between the edges of its bin', () => {
  const arbitraryMaximum = fc.float({
    min: Math.fround(2 ** -149),
    max: 2 ** 24,
    maxExcluded: true,
    noNaN: true,
  });
  fc.assert(
    fc.property(arbitraryMaximum, (value) => {
      const { low, high } = binEdges(binOf(value));
      expect(value).toBeGreaterThanOrEqual(low);
      expect(value).toBeLessThan(high);
    }),
  );
});

test('the bins lie side by side, a quarter octave each from 2^-10 to 2^16', () => {
  for (let bin = 2; bin < HISTOGRAM_BINS - 1; bin++) {
    const { low, high } = binEdges(bin);
    expect(low).toBe(binEdges(bin - 1).high);
    expect(low / 2 ** (-10 + (bin - 2) / 4)).toBeCloseTo(1, 6);
    expect(high).toBe(binEdges(bin + 1).low);
  }
  expect(HISTOGRAM_BINS).toBe(1 + 1 + 26 * 4 + 1);
});

test('the ends: blank, below 2^-10, from 2^16', () => {
  expect(binEdges(0)).toEqual({ low: 0, high: 0 });
  expect(binEdges(1)).toEqual({ low: 0, high: 2 ** -10 });
  expect(binEdges(106)).toEqual({ low: 2 ** 16, high: 2 ** 24 });
  expect(binOf(2 ** -149)).toBe(1);
  expect(binOf(2 ** -10)).toBe(2);
  expect(binOf(2 ** 16)).toBe(106);
});

test('an edge belongs to the bin above it', () => {
  // 1 is 2^0: 10 octaves of 4 bins above bin 2. The edges nearest to 2^(1/4), 2^(1/2), 2^(3/4) in float32 follow.
  expect(binOf(1)).toBe(42);
  for (const quarter of [1, 2, 3]) {
    const { low } = binEdges(42 + quarter);
    expect(low).toBeGreaterThanOrEqual(2 ** (quarter / 4));
    expect(low - 2 ** -23).toBeLessThan(2 ** (quarter / 4));
    expect(binOf(low)).toBe(42 + quarter);
    expect(binOf(low - 2 ** -23)).toBe(41 + quarter);
  }
});

test('there are no other bins', () => {
  for (const bin of [-1, 0.5, HISTOGRAM_BINS]) expect(() => binEdges(bin)).toThrow(RangeError);
});
