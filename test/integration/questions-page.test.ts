import { beforeAll, expect, test } from 'vitest';
import { openResults, type Results } from '@filterscope/results/open-results';
import { openQuery } from '@filterscope/results/query';
import { decodeReadings } from '@filterscope/runs/readings-table';
import type { Readings } from '@filterscope/statistics/readings';
import { LAYERS } from '@filterscope/vgg16/layers';
import { codeBlocks, section } from '../support/documented.ts';
import { readStoredRun, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { toldRun } from '../support/told-run.ts';

// Every question of docs/questions.md, asked of a run with known habits, beside loops over its readings.

const newFolder = temporaryFolders();
const layers = LAYERS.slice(0, 2);
const positions = 224 * 224;
let runs: Results[];
let stored: StoredRun;
/** Every reading there is. */
let all: {
  row: number;
  image: string;
  class: string;
  layer: string;
  filter: number;
  zeros: number;
  max: number;
  position: number;
}[];

beforeAll(async () => {
  const output = await newFolder();
  const told = await toldRun(await newFolder(), output);
  const stretched = await toldRun(await newFolder(), output, { images: 9, fit: 'stretch' });
  runs = [
    await openResults(stretched.output, stretched.document),
    await openResults(told.output, told.document),
  ];
  stored = await readStoredRun(output, told.document.run);
  all = stored.readings.flatMap((cells) => {
    const readings: Readings = decodeReadings(layers, cells);
    return layers.flatMap(({ layer, filters }, l) =>
      Array.from({ length: filters }, (_, filter) => {
        const at = l * 64 + filter;
        const name = {
          row: Number(cells['row']),
          image: String(cells['image']),
          class: String(cells['class']),
        };
        const [zeros, max, position] = [readings.zeros[at], readings.max[at], readings.position[at]];
        return { ...name, layer, filter, zeros, max, position };
      }),
    );
  });
  expect(all).toHaveLength(24 * 128);
});

async function ask(question: string, of = runs.slice(1)) {
  const [sql] = codeBlocks(section('questions.md', question), 'sql');
  await using query = await openQuery(of, sql);
  return await Array.fromAsync(query.rows());
}

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
const of = (layer: string, filter: number) => all.filter((r) => r.layer === layer && r.filter === filter);
const names = layers.map(({ layer }) => layer);
const filters = names.flatMap((layer) => Array.from({ length: 64 }, (_, filter) => ({ layer, filter })));

test('1: dead filters', async () => {
  const dead = filters.filter(({ layer, filter }) => of(layer, filter).every(({ max }) => max === 0));
  expect(dead).toEqual(names.map((layer) => ({ layer, filter: 0 })));
  const deadBound = expect.closeTo(1 - 0.05 ** (1 / 24), 12) as number;
  expect(await ask('1.')).toEqual(dead.map((name) => ({ ...name, images: 24, deadBound })));
});

test('2: layers', async () => {
  const answer = await ask('2.');
  expect(answer).toEqual(
    names.map((layer) => {
      const readings = all.filter((r) => r.layer === layer);
      return expect.objectContaining({
        layer,
        images: 24,
        blankRate: expect.closeTo(mean(readings.map(({ max }) => (max === 0 ? 1 : 0))), 12) as number,
        zeroShare: expect.closeTo(mean(readings.map(({ zeros }) => zeros / positions)), 12) as number,
        dead: 1,
      }) as unknown;
    }),
  );
});

test('3: silent everywhere but in one class', async () => {
  const classes = ['cat', 'dog', 'flower'];
  const expected = filters.flatMap((name) => {
    const fired = of(name.layer, name.filter).filter(({ max }) => max > 0);
    const within = classes.filter((cls) => fired.some((r) => r.class === cls));
    return within.length === 1
      ? [{ ...name, class: within[0], fires: fired.length, imagesOfClass: 8, imagesElsewhere: 16 }]
      : [];
  });
  expect(expected).toEqual(
    names.map((layer) => expect.objectContaining({ layer, filter: 1, class: 'cat', fires: 8 }) as unknown),
  );
  expect(await ask('3.')).toEqual(expected);
});

test('4: images with the most blank filters', async () => {
  const images = Map.groupBy(all, ({ image }) => image);
  const counted = [...images].map(([image, readings]) => ({
    image,
    class: readings[0].class,
    blank: readings.filter(({ max }) => max === 0).length,
  }));
  const expected = counted.toSorted((a, b) => b.blank - a.blank || (a.image < b.image ? -1 : 1)).slice(0, 20);
  expect(expected[0].blank).toBeGreaterThan(expected[19].blank);
  expect(await ask('4.')).toEqual(expected);
});

test('5: zero share by class', async () => {
  const groups = Map.groupBy(all, (r) => `${r.class} ${r.layer}`);
  expect(await ask('5.')).toEqual(
    [...groups]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, readings]) => ({
        class: key.split(' ')[0],
        layer: key.split(' ')[1],
        images: 8,
        zeroShare: expect.closeTo(mean(readings.map(({ zeros }) => zeros / positions)), 12) as number,
      })),
  );
});

test('6: blank together', async () => {
  const pairs = names.flatMap((layer) => {
    const sets = Array.from({ length: 64 }, (_, filter) => {
      const blank = of(layer, filter).filter(({ max }) => max === 0);
      return new Set(blank.length / 24 < 0.99 ? blank.map(({ row }) => row) : []);
    });
    return sets.flatMap((x, a) =>
      sets.slice(a + 1).map((y, i) => {
        const together = [...x].filter((row) => y.has(row)).length;
        return { layer, a, b: a + 1 + i, together, jaccard: together / (x.size + y.size - together) };
      }),
    );
  });
  const expected = pairs
    .filter(({ together }) => together > 0)
    .toSorted(
      (p, q) =>
        q.jaccard - p.jaccard ||
        q.together - p.together ||
        (p.layer < q.layer ? -1 : 1) ||
        p.a - q.a ||
        p.b - q.b,
    );
  expect(expected[0]).toMatchObject({ a: 2, b: 3, jaccard: 1 });
  const answer = await ask('6.');
  expect(answer).toHaveLength(20);
  expect(answer.slice(0, 2)).toEqual(expected.slice(0, 2));
  expect(answer.map(({ jaccard }) => jaccard)).toEqual(expected.slice(0, 20).map(({ jaccard }) => jaccard));
  for (const row of answer) expect(expected).toContainEqual(row);
});

test('7: distribution of maxima', async () => {
  const powers = Map.groupBy(of('block1_conv1', 5), ({ max }) =>
    max > 0 ? Math.floor(Math.log2(max)) : null,
  );
  expect(powers.size).toBeGreaterThan(2);
  expect(await ask('7.')).toEqual(
    [...powers]
      .toSorted(([a], [b]) => (a ?? -99) - (b ?? -99))
      .map(([power, { length }]) => ({ power, images: length, share: length / 24 })),
  );
});

/** Pearson's correlation. */
const pearson = (x: readonly number[], y: readonly number[]) => {
  const [mx, my] = [mean(x), mean(y)];
  const sum = (f: (i: number) => number) => x.reduce((total, _, i) => total + f(i), 0);
  return (
    sum((i) => (x[i] - mx) * (y[i] - my)) /
    Math.sqrt(sum((i) => (x[i] - mx) ** 2) * sum((i) => (y[i] - my) ** 2))
  );
};
const ranks = (values: readonly number[]) =>
  values.map((v) =>
    mean(
      values.flatMap((w, j) =>
        w === v
          ? [values.filter((u) => u < v).length + 1 + values.slice(0, j).filter((u) => u === v).length]
          : [],
      ),
    ),
  );

test('8: correlation of two filters', async () => {
  const [x, y] = [of('block1_conv1', 5), of('block1_conv2', 6)].map((r) => r.map(({ max }) => max));
  expect(pearson(x, y)).toBeGreaterThan(0.9);
  expect(await ask('8.')).toEqual([
    {
      images: 24,
      pearson: expect.closeTo(pearson(x, y), 10) as number,
      spearman: expect.closeTo(pearson(ranks(x), ranks(y)), 10) as number,
    },
  ]);
});

test('9: failures', async () => {
  const failed = stored.images.filter(({ status }) => status !== 'ok');
  expect(failed).toHaveLength(1);
  const [{ status, code, image, message }] = failed;
  expect(await ask('9.')).toEqual([{ status, code, images: 1, example: image, message }]);
});

test('10: runs side by side', async () => {
  const answer = await ask('10.', runs);
  const rows = await Promise.all(
    runs.toReversed().map(async ({ output, document }) => ({
      document,
      table: (await readStoredRun(output, document.run)).layers,
    })),
  );
  const value = (run: number, layer: number, name: string) =>
    (rows[run].table[layer] as Record<string, number>)[name];
  expect(answer).toEqual(
    names.flatMap((layer, l) =>
      rows.map(({ document }, r) => ({
        layer,
        run: document.run.slice(0, 12),
        weights: document.weights.name,
        fit: document.settings.fit,
        images: [24, 9][r],
        blankRate: value(r, l, 'blankRate'),
        zeroShare: value(r, l, 'zeroShare'),
        moreThanFirst: value(r, l, 'zeroShare') - value(0, l, 'zeroShare'),
      })),
    ),
  );
});

/** Low end of the interval of a zero share. */
const low = (readings: readonly { zeros: number }[]) => {
  const shares = readings.map(({ zeros }) => zeros / positions);
  const m = mean(shares);
  const s = Math.sqrt(shares.reduce((sum, x) => sum + (x - m) ** 2, 0) / 23);
  return m - (1.959963984540054 * s) / Math.sqrt(24);
};

test('11: what would be pruned', async () => {
  const expected = names.map((layer) => {
    // A filter that is 0 everywhere has no spread: Wilson's low end with 24 images is 0.862.
    const dropped = filters.filter(
      (f) => f.layer === layer && f.filter !== 0 && low(of(layer, f.filter)) > 0.9,
    ).length;
    return { layer, dropped, kept: 64 - dropped };
  });
  expect(expected[0].dropped).toBeGreaterThan(0);
  expect(await ask('11.')).toEqual(expected);
});

test('12: where a filter responds most', async () => {
  const strongest = of('block1_conv1', 5).toSorted((a, b) => b.max - a.max || (a.image < b.image ? -1 : 1));
  expect(await ask('12.')).toEqual(
    strongest.slice(0, 16).map(({ image, class: cls, max, position }) => ({
      image,
      class: cls,
      max,
      x: position % 224,
      y: Math.floor(position / 224),
    })),
  );
});

test('there is a test for each question', () => {
  for (let n = 1; n <= 12; n++) expect(codeBlocks(section('questions.md', `${n}.`), 'sql')).toHaveLength(1);
  expect(() => section('questions.md', '13.')).toThrow('no section');
});
