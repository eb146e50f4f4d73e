import { beforeAll, describe, expect, test } from 'vitest';
import { openClusters, type ClusterBy } from '@filterscope/results/cluster-sums';
import { clusteredFilterRows, clusteredLayerRows } from '@filterscope/results/clustered-rows';
import { openResults, type Results } from '@filterscope/results/open-results';
import {
  clusteredMeanInterval,
  clusteredRateInterval,
  designEffect,
  type ClusterSums,
} from '@filterscope/statistics/clusters';
import { deadBound } from '@filterscope/statistics/intervals';
import { LAYERS } from '@filterscope/vgg16/layers';
import { filterscope } from '../support/run-filterscope.ts';
import { readStoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { toldRun } from '../support/told-run.ts';

// Sums over clusters, added up by DuckDB from the tables, beside loops over the readings.

const newFolder = temporaryFolders();
const [shape] = LAYERS;
let output: string;
let results: Results;
let readings: { image: string; class: string; zeros: Uint16Array; max: Float32Array }[];
beforeAll(async () => {
  output = await newFolder();
  const run = await toldRun(await newFolder(), output, { images: 30 });
  results = await openResults(run.output, run.document);
  readings = (await readStoredRun(output, run.document.run)).readings.map((cells) => ({
    image: String(cells['image']),
    class: String(cells['class']),
    zeros: cells['block1_conv1_zeros'] as Uint16Array,
    max: cells['block1_conv1_max'] as Float32Array,
  }));
});

type Reading = (typeof readings)[number];

const total = (xs: readonly bigint[]) => xs.reduce((a, b) => a + b, 0n);

function naive(
  keyOf: (reading: Reading) => string,
  value: (reading: Reading) => number,
  unit: number,
  of = readings,
): ClusterSums {
  const groups = [...Map.groupBy(of, keyOf).values()].map((group) =>
    group.map((reading) => BigInt(value(reading))),
  );
  return {
    clusters: groups.length,
    n: of.length,
    unit,
    sum: total(groups.flat()),
    sumOfSquares: total(groups.flat().map((x) => x * x)),
    sizesSquared: total(groups.map((xs) => BigInt(xs.length) ** 2n)),
    sumsSquared: total(groups.map((xs) => total(xs) ** 2n)),
    sumsBySizes: total(groups.map((xs) => total(xs) * BigInt(xs.length))),
  };
}
const blankOf = (filter: number) => (reading: Reading) => (reading.max[filter] === 0 ? 1 : 0);
const zerosOf = (filter: number) => (reading: Reading) => reading.zeros[filter];
const blanks = (reading: Reading) => reading.max.filter((max) => max === 0).length;
const zeros = (reading: Reading) => reading.zeros.reduce((a, b) => a + b, 0);

const WAYS: [name: string, by: ClusterBy, keyOf: (reading: Reading) => string, clusters: number][] = [
  ['class', 'class', (reading) => reading.class, 3],
  ['folder', 'folder', ({ image }) => image.split('/')[0], 3],
  ['prefix:5', { prefix: 5 }, ({ image }) => image.slice(0, 5), 11],
];

describe.each(WAYS)('by %s', (_, by, keyOf, clusters) => {
  test('sums of a layer and its filters are those of the readings', async () => {
    await using reader = await openClusters(results, by);
    expect(reader.clusters).toBe(clusters);
    expect(await reader.ofLayer(shape)).toEqual({
      blank: naive(keyOf, blanks, 64),
      zeros: naive(keyOf, zeros, 64 * 50_176),
    });
    const expected = Array.from({ length: 64 }, (__, filter) => ({
      blank: naive(keyOf, blankOf(filter), 1),
      zeros: naive(keyOf, zerosOf(filter), 50_176),
    }));
    expect(await reader.ofFilters(shape)).toEqual(expected);
    // The same a few filters at a time.
    await using small = await openClusters(results, by, { cells: 5 * clusters });
    expect(await small.ofFilters(shape)).toEqual(expected);
  });

  test('rows carry their intervals', async () => {
    const [layer] = await clusteredLayerRows(results, by);
    const blank = naive(keyOf, blanks, 64);
    const { low, high } = clusteredMeanInterval(blank);
    expect(layer).toMatchObject({
      images: 30,
      clusters,
      blankRateLow: low,
      blankRateHigh: high,
      moreImages: null,
      deadBound: deadBound(clusters),
    });
    const rows = await clusteredFilterRows(results, { layer: 'block1_conv1', sort: 'blank' }, by);
    expect(rows).toHaveLength(64);
    for (const row of rows) {
      const rate = naive(keyOf, blankOf(row.filter), 1);
      const share = naive(keyOf, zerosOf(row.filter), 50_176);
      const [ofRate, ofShare] = [clusteredRateInterval(rate), clusteredMeanInterval(share)];
      expect(row).toMatchObject({
        blankRate: Number(rate.sum) / 30,
        blankRateLow: ofRate.low,
        blankRateHigh: ofRate.high,
        zeroShareLow: ofShare.low,
        zeroShareHigh: ofShare.high,
        clusters,
        blankRateDesignEffect: designEffect(rate),
        zeroShareDesignEffect: designEffect(share),
        deadBound: row.filter === 0 ? deadBound(clusters) : null,
      });
    }
  });
});

test('a filter that fires on one class alone has a rate that images by class say little of', async () => {
  const rows = await clusteredFilterRows(results, { layer: 'block1_conv1' }, 'class');
  const [, catsAlone] = rows;
  expect(catsAlone.blankRateDesignEffect).toBeGreaterThan(10); // ten images a class, all alike
  expect(catsAlone.blankRateHigh! - catsAlone.blankRateLow!).toBeGreaterThan(0.8);
});

test('within a class', async () => {
  const cats = readings.filter((reading) => reading.class === 'cat');
  const rows = await clusteredFilterRows(results, { layer: 'block1_conv1', class: 'cat' }, { prefix: 5 });
  const rate = naive(({ image }) => image.slice(0, 5), blankOf(2), 1, cats);
  expect(rows[2]).toMatchObject({
    images: 10,
    clusters: rate.clusters,
    blankRateHigh: clusteredRateInterval(rate).high,
  });
});

const ask = (...args: string[]) => filterscope([...args, '-o', output]);

describe('the command', () => {
  test('says how many clusters there are, what they do, and that they are few', async () => {
    for (const command of ['layers', 'filters']) {
      const { code, stdout } = await ask(command, 'latest', '--cluster', 'class');
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /intervals by 3 clusters \(class\), Student's t with 2 degrees of freedom; design effects [\d.]+ … [\d.]+, median [\d.]+\.\nBelow 30 clusters/,
      );
      expect(stdout).not.toContain('enough images');
    }
    const { stdout } = await ask('layers', 'latest', '--cluster', 'prefix:9');
    expect(stdout).toContain('intervals by 30 clusters (prefix:9)');
    expect(stdout).not.toContain('Below 30');
  });

  test('in JSON', async () => {
    const { stdout } = await ask('layers', 'latest', '--cluster', 'folder', '--json');
    expect(JSON.parse(stdout)).toEqual(await clusteredLayerRows(results, 'folder'));
  });

  test('refuses what cannot be', async () => {
    const one = await ask('filters', 'latest', '--cluster', 'class', '--class', 'cat');
    expect([one.code, one.stderr]).toEqual([2, expect.stringContaining('the images are 1 cluster by class')]);
    for (const by of ['prefix:0', 'prefix', 'colour', 'prefix:1.5'])
      expect((await ask('layers', 'latest', '--cluster', by)).code).toBe(2);
  });
});
