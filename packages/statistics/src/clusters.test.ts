import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  clusteredMeanInterval,
  clusteredRateInterval,
  clusterVariance,
  designEffect,
  type ClusterSums,
} from './clusters.ts';
import { meanInterval, wilson } from './intervals.ts';

const sum = (values: readonly number[]) => BigInt(values.reduce((a, b) => a + b, 0));

/** The sums of clusters of images, added up naively. */
function sumsOf(clusters: readonly (readonly number[])[], unit = 1): ClusterSums {
  const totals = clusters.map((xs) => xs.reduce((a, b) => a + b, 0));
  return {
    clusters: clusters.length,
    n: clusters.flat().length,
    sum: sum(totals),
    sumOfSquares: sum(clusters.flat().map((x) => x * x)),
    unit,
    sizesSquared: sum(clusters.map((xs) => xs.length ** 2)),
    sumsSquared: sum(totals.map((total) => total ** 2)),
    sumsBySizes: sum(totals.map((total, g) => total * clusters[g].length)),
  };
}

const someClusters = fc.array(fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 1, maxLength: 6 }), {
  minLength: 2,
  maxLength: 8,
});

describe('variance', () => {
  test('by hand: three clusters of two', () => {
    // mean 1/2; residuals of the totals 2, 1, 0: 1, 0, −1; 3/2 × 2 / 36
    expect(
      clusterVariance(
        sumsOf([
          [1, 1],
          [1, 0],
          [0, 0],
        ]),
      ),
    ).toBeCloseTo(1 / 12, 15);
  });

  test('is that of the definition', () => {
    fc.assert(
      fc.property(someClusters, (clusters) => {
        const all = clusters.flat();
        const mean = all.reduce((a, b) => a + b) / all.length;
        const scores = clusters.map((xs) => xs.reduce((a, x) => a + (x - mean), 0));
        const [G, n] = [clusters.length, all.length];
        const expected = ((G / (G - 1)) * scores.reduce((a, s) => a + s * s, 0)) / n ** 2 / 10 ** 2;
        expect(clusterVariance(sumsOf(clusters, 10))).toBeCloseTo(expected, 12);
      }),
    );
  });

  test('clusters of one image are independent images', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 }), { minLength: 2, maxLength: 40 }), (xs) => {
        const effect = designEffect(
          sumsOf(
            xs.map((x) => [x]),
            10,
          ),
        );
        if (new Set(xs).size === 1) expect(effect).toBeNull();
        else expect(effect).toBeCloseTo(1, 9);
      }),
    );
  });

  test('k copies of each image: the variance of the images themselves, a design effect of about k', () => {
    const xs = Array.from({ length: 200 }, (_, i) => (i * i) % 11);
    const copies = sumsOf(
      xs.map((x) => [x, x, x, x, x]),
      10,
    );
    expect(clusterVariance(copies)).toBeCloseTo(
      clusterVariance(
        sumsOf(
          xs.map((x) => [x]),
          10,
        ),
      ),
      12,
    );
    expect(designEffect(copies)).toBeCloseTo(5, 1);
  });

  test('sums of a million images do not cancel', () => {
    // Two clusters whose means differ by 1 of 50,176 positions in half a million images.
    const half = 500_000n;
    const [a, b] = [half * 50_000n, half * 50_000n + 1n];
    const sums: ClusterSums = {
      clusters: 2,
      n: 1_000_000,
      sum: a + b,
      sumOfSquares: 2n * half * 50_000n ** 2n + 100_001n,
      unit: 50_176,
      sizesSquared: 2n * half * half,
      sumsSquared: a * a + b * b,
      sumsBySizes: half * (a + b),
    };
    expect(clusterVariance(sums)).toBeCloseTo((2 * 2 * 0.25) / 1e12 / 50_176 ** 2, 30);
    expect(clusterVariance(sums)).toBeGreaterThan(0);
  });

  test('one cluster has none', () => {
    expect(() => clusterVariance(sumsOf([[1, 0]]))).toThrow('two of them');
  });
});

describe('intervals', () => {
  test('hold the mean, and are never narrower than those of independent images', () => {
    fc.assert(
      fc.property(someClusters, (clusters) => {
        const sums = sumsOf(clusters, 10);
        const { low, high } = clusteredMeanInterval(sums);
        const mean = Number(sums.sum) / sums.n / 10;
        expect(low).toBeLessThanOrEqual(mean + 1e-12);
        expect(high).toBeGreaterThanOrEqual(mean - 1e-12);
        const independent = meanInterval(sums)!;
        expect(low).toBeLessThanOrEqual(independent.low + 1e-12);
        expect(high).toBeGreaterThanOrEqual(independent.high - 1e-12);
      }),
    );
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 1, maxLength: 5 }), {
          minLength: 2,
          maxLength: 9,
        }),
        (clusters) => {
          const sums = sumsOf(clusters);
          const { low, high } = clusteredRateInterval(sums);
          const independent = wilson(Number(sums.sum), sums.n)!;
          expect(low).toBeLessThanOrEqual(independent.low + 1e-12);
          expect(high).toBeGreaterThanOrEqual(independent.high - 1e-12);
        },
      ),
    );
  });

  test('a filter blank on every image counts its clusters', () => {
    const { low, high } = clusteredRateInterval(sumsOf(Array.from({ length: 30 }, () => [1, 1, 1, 1])));
    expect(high).toBe(1);
    expect(low).toBeCloseTo(wilson(30, 30, 2.0452296)!.low, 6); // t of 29 degrees of freedom
  });
});

describe('coverage on simulated clusters', () => {
  const { random, normal } = generator(7);
  const REPETITIONS = 2000;

  /** Clusters of 5 to 44 images with a rate of their own around 0.3: like frames of as many videos. */
  function simulate(G: number): number[][] {
    return Array.from({ length: G }, () => {
      const rate = 1 / (1 + Math.exp(-(Math.log(0.3 / 0.7) + 1.2 * normal())));
      return Array.from({ length: 5 + Math.floor(40 * random()) }, () => (random() < rate ? 1 : 0));
    });
  }
  // The mean of the clusters' rates, by a long simulation of its own.
  const truth = (() => {
    const many = Array.from(
      { length: 400_000 },
      () => 1 / (1 + Math.exp(-(Math.log(0.3 / 0.7) + 1.2 * normal()))),
    );
    return many.reduce((a, b) => a + b) / many.length;
  })();
  const holds = ({ low, high }: { low: number; high: number }) => (low <= truth && truth <= high ? 1 : 0);

  test.each([10, 40])('%i clusters: naive intervals fail, these hold', (G) => {
    let [naive, rate, mean] = [0, 0, 0];
    for (let i = 0; i < REPETITIONS; i++) {
      const sums = sumsOf(simulate(G));
      naive += holds(wilson(Number(sums.sum), sums.n)!);
      rate += holds(clusteredRateInterval(sums));
      mean += holds(clusteredMeanInterval(sums));
    }
    console.log(
      `${G} clusters: naive ${naive / REPETITIONS}, rate ${rate / REPETITIONS}, mean ${mean / REPETITIONS}`,
    );
    expect(naive / REPETITIONS).toBeLessThan(0.65);
    expect(rate / REPETITIONS).toBeGreaterThan(G < 30 ? 0.91 : 0.93);
    expect(mean / REPETITIONS).toBeGreaterThan(G < 30 ? 0.91 : 0.93);
    expect(rate / REPETITIONS).toBeLessThan(0.98);
  });
});

/** Numbers from 0 to 1 (mulberry32) and normal ones (Box–Muller), the same at every run. */
function generator(seed: number) {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return { random, normal };
}
