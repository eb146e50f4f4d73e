import {
  addReadings,
  createAccumulator,
  mergeAccumulators,
  type Accumulator,
} from '@filterscope/statistics/accumulator';
import { separateClasses } from '@filterscope/statistics/class-separation';
import {
  compareIndependent,
  comparePaired,
  comparisonRows,
  SIGNIFICANT,
  type Change,
  type Compared,
  type ComparisonRow,
} from '@filterscope/statistics/comparison';
import { addPairs, createPairedSums } from '@filterscope/statistics/paired-sums';
import { filterCount, type LayerShape, type Readings } from '@filterscope/statistics/readings';

// Datasets of which the truth is known, since they are made up: what comparisons say of them against what is so.

/** Nothing differs in the layer `same`. */
const LAYERS: readonly LayerShape[] = [
  { layer: 'wide', filters: 64, positions: 784 },
  { layer: 'deep', filters: 64, positions: 196 },
  { layer: 'same', filters: 64, positions: 196 },
];
const FILTERS = filterCount(LAYERS);
const PLACES = LAYERS.flatMap(({ layer, filters, positions }, index) =>
  Array.from({ length: filters }, (_, filter) => ({ layer, index, filter, positions })),
);

/**
 * What a filter does. An image is of one of two kinds, equally often, that blank all filters more or less often: filters of an
 * image are not independent. On an image on which a filter is not blank, its zeros are any number below `2 × mean + 1`, equally often.
 */
interface Behaviour {
  /** Share of images on which it is blank. */
  readonly blankRate: number;
  /** Mean zeros where it is not. */
  readonly mean: number;
}

const RATES = [0, 0.002, 0.01, 0.03, 0.1, 0.25, 0.5, 0.8, 0.95, 1];
const USUAL: readonly Behaviour[] = PLACES.map(({ positions }, i) => ({
  blankRate: RATES[i % RATES.length],
  mean: Math.floor((positions * (1 + (i % 7))) / 18),
}));

/** How filters differ in B, by their number over all layers. */
const CHANGED: Readonly<Record<number, { readonly behaviour: Behaviour; readonly change: Change }>> = {
  4: { behaviour: { ...USUAL[4], blankRate: 0.2 }, change: 'more-blank' },
  16: { behaviour: { ...USUAL[16], blankRate: 0.6 }, change: 'more-blank' },
  26: { behaviour: { ...USUAL[26], blankRate: 0.35 }, change: 'less-blank' },
  37: { behaviour: { ...USUAL[37], blankRate: 0.7 }, change: 'less-blank' },
  48: { behaviour: { ...USUAL[48], blankRate: 1 }, change: 'newly-dead' },
  59: { behaviour: { ...USUAL[59], blankRate: 0.9 }, change: 'revived' },
  70: { behaviour: { ...USUAL[70], blankRate: 0.08 }, change: 'more-blank' },
  89: { behaviour: { ...USUAL[89], blankRate: 0.9 }, change: 'revived' },
  97: { behaviour: { ...USUAL[97], blankRate: 1 }, change: 'newly-dead' },
  // blank as often, and yet with other zeros
  105: { behaviour: { ...USUAL[105], mean: USUAL[105].mean + 10 }, change: 'same' },
};
const OTHER = USUAL.map((usual, i) => CHANGED[i]?.behaviour ?? usual);

const zeroShare = ({ blankRate, mean }: Behaviour, positions: number) =>
  blankRate + ((1 - blankRate) * mean) / positions;
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** True differences B − A of filters, and of layers. */
const TRUTH = {
  filters: PLACES.map(({ positions }, i) => ({
    blank: OTHER[i].blankRate - USUAL[i].blankRate,
    zeros: zeroShare(OTHER[i], positions) - zeroShare(USUAL[i], positions),
    change: CHANGED[i]?.change ?? 'same',
  })),
  layer: (layer: string, measure: 'blank' | 'zeros') =>
    average(TRUTH.filters.filter((_, i) => PLACES[i].layer === layer).map((truth) => truth[measure])),
};

/** How a way of comparing stands to the truth, averaged over repetitions. */
export interface Score {
  readonly way: string;
  readonly repetitions: number;
  /** Share of 95 % intervals that hold the true difference, and its standard error from the spread between repetitions. */
  readonly coverage: Readonly<Record<Measured, Estimate>>;
  /** False among the discoveries of a repetition; 0 where there are none. */
  readonly falseShare: Readonly<Record<'filter blank rates' | 'filter zero shares', Estimate>>;
  /** Share of the filters that differ which were found, and called by the right name. */
  readonly found: Estimate;
  readonly named: Estimate;
}
export interface Estimate {
  readonly mean: number;
  readonly error: number;
}
const MEASURED = [
  'filter blank rates',
  'filter zero shares',
  'layer blank rates',
  'layer zero shares',
] as const;
type Measured = (typeof MEASURED)[number];

/** Scores comparisons of independent samples, of the same images twice, and of a class with the rest. */
export function scoreComparisons(repetitions: number): Score[] {
  return [
    scored('two samples of 1,000 and 700 images', repetitions, 1, (random) => {
      const { layers, filters } = compareIndependent(
        sample(random, USUAL, 1000),
        sample(random, OTHER, 700),
        LAYERS,
      );
      return scoreRows(comparisonRows(layers, 'bh'), comparisonRows(filters, 'bh'));
    }),
    scored('the same 1,000 images twice', repetitions, 2, (random) => {
      const { layers, filters } = pairs(random, 1000);
      return scoreRows(comparisonRows(layers, 'bh'), comparisonRows(filters, 'bh'));
    }),
    scored('a class of 400 in 2,000 images', repetitions, 3, scoreClass),
  ];
}

type Shares = Partial<Record<`coverage ${Measured}` | `false ${Measured}` | 'found' | 'named', number>>;

function scored(
  way: string,
  repetitions: number,
  seed: number,
  once: (random: () => number) => Shares,
): Score {
  const shares = Array.from({ length: repetitions }, (_, i) => once(generator(seed * 1_000_003 + i)));
  const estimate = (name: keyof Shares): Estimate => {
    const values = shares.map((share) => share[name] ?? NaN);
    const mean = average(values);
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    return { mean, error: Math.sqrt(variance / values.length) };
  };
  return {
    way,
    repetitions,
    coverage: {
      'filter blank rates': estimate('coverage filter blank rates'),
      'filter zero shares': estimate('coverage filter zero shares'),
      'layer blank rates': estimate('coverage layer blank rates'),
      'layer zero shares': estimate('coverage layer zero shares'),
    },
    falseShare: {
      'filter blank rates': estimate('false filter blank rates'),
      'filter zero shares': estimate('false filter zero shares'),
    },
    found: estimate('found'),
    named: estimate('named'),
  };
}

function scoreRows(layers: readonly ComparisonRow[], filters: readonly ComparisonRow[]): Shares {
  const truth = TRUTH.filters;
  return {
    'coverage filter blank rates': share(filters, ({ low, high }, i) => holds(low, high, truth[i].blank)),
    'coverage filter zero shares': share(filters, (row, i) =>
      holds(row.zeroShareLow, row.zeroShareHigh, truth[i].zeros),
    ),
    'coverage layer blank rates': share(layers, ({ layer, low, high }) =>
      holds(low, high, TRUTH.layer(layer, 'blank')),
    ),
    'coverage layer zero shares': share(layers, (row) =>
      holds(row.zeroShareLow, row.zeroShareHigh, TRUTH.layer(row.layer, 'zeros')),
    ),
    'false filter blank rates': falseShare(
      filters.map((row) => row.adjustedP),
      (i) => truth[i].blank,
    ),
    'false filter zero shares': falseShare(
      filters.map((row) => row.zeroShareAdjustedP),
      (i) => truth[i].zeros,
    ),
    found: share(
      filters.filter((_, i) => truth[i].blank !== 0),
      ({ change }) => change !== 'same',
    ),
    named: share(
      filters.map((row, i) => ({ row, truth: truth[i] })).filter(({ truth }) => truth.blank !== 0),
      ({ row, truth }) => row.change === truth.change,
    ),
  };
}

/** True difference of a filter's blank rates. */
const truthOf = ({ layer, filter }: { layer: string; filter: number }) =>
  TRUTH.filters[PLACES.findIndex((place) => place.layer === layer && place.filter === filter)].blank;

function scoreClass(random: () => number): Shares {
  const accumulator = sample(random, USUAL, 1600);
  mergeAccumulators(accumulator, sample(random, OTHER, 400, { firstRow: 1600, classIds: [0] }));
  const rows = [...separateClasses(accumulator, { classIds: [0], adjust: 'bh' })];
  return {
    'coverage filter blank rates': share(rows, (row) => holds(row.low, row.high, truthOf(row))),
    'false filter blank rates': falseShare(
      rows.map((row) => row.adjustedP),
      (i) => truthOf(rows[i]),
    ),
    found: share(
      rows.filter((row) => truthOf(row) !== 0),
      (row) => row.adjustedP <= SIGNIFICANT,
    ),
  };
}

const ROUNDING = 1e-12;
const holds = (low: number | null, high: number | null, truth: number) =>
  low !== null && high !== null && low - ROUNDING <= truth && truth <= high + ROUNDING;

function share<Item>(items: readonly Item[], is: (item: Item, i: number) => boolean): number {
  return items.filter(is).length / items.length;
}

function falseShare(adjustedP: readonly number[], truthOf: (i: number) => number): number {
  const found = adjustedP.flatMap((p, i) => (p <= SIGNIFICANT ? [i] : []));
  return found.length === 0 ? 0 : share(found, (i) => truthOf(i) === 0);
}

/** Images measured in one run. */
function sample(
  random: () => number,
  behaviours: readonly Behaviour[],
  images: number,
  { firstRow = 0, classIds = [] }: { readonly firstRow?: number; readonly classIds?: readonly number[] } = {},
): Accumulator {
  const accumulator = createAccumulator(LAYERS, { topK: 0 });
  for (let image = 0; image < images; image++) {
    const kind = random() < 0.5 ? 1 : -1;
    const readings = readingsOf(behaviours.map((behaviour) => zerosOf(behaviour, kind, random(), random())));
    addReadings(accumulator, { row: firstRow + image, classIds }, readings);
  }
  return accumulator;
}

/** Seven times in ten a filter takes the same chances in both runs. */
function pairs(random: () => number, images: number): { layers: Compared[]; filters: Compared[] } {
  const sums = createPairedSums(LAYERS);
  for (let image = 0; image < images; image++) {
    const kind = random() < 0.5 ? 1 : -1;
    const [a, b] = [new Uint16Array(FILTERS), new Uint16Array(FILTERS)];
    for (let i = 0; i < FILTERS; i++) {
      const chances = [random(), random()] as const;
      a[i] = inMap(i, zerosOf(USUAL[i], kind, ...chances));
      const other = random() < 0.7 ? chances : ([random(), random()] as const);
      b[i] = inMap(i, zerosOf(OTHER[i], kind, ...other));
    }
    addPairs(sums, a, b);
  }
  return comparePaired(sums);
}

/** Zeros, all of them as infinity. @param kind 1 or −1 */
function zerosOf({ blankRate, mean }: Behaviour, kind: number, first: number, second: number): number {
  const swing = 0.5 * Math.min(blankRate, 1 - blankRate);
  return first < blankRate + kind * swing ? Infinity : Math.floor(second * (2 * mean + 1));
}

const inMap = (i: number, zeros: number) => Math.min(zeros, PLACES[i].positions);

function readingsOf(zeros: readonly number[]): Readings {
  return {
    zeros: Uint16Array.from(zeros, (count, i) => inMap(i, count)),
    max: Float32Array.from(zeros, (count) => (count === Infinity ? 0 : 1)),
    mean: new Float32Array(FILTERS),
    position: new Uint16Array(FILTERS),
  };
}

const rotated = (word: number, by: number) => (word << by) | (word >>> (32 - by));

/** Numbers from 0 to 1, the same for the same seed: xoshiro128** (Blackman & Vigna 2018), seeded by splitmix. */
function generator(seed: number): () => number {
  const state = new Uint32Array(4);
  let mixed = seed >>> 0;
  for (let i = 0; i < 4; i++) {
    mixed = (mixed + 0x9e_37_79_b9) >>> 0;
    let word = Math.imul(mixed ^ (mixed >>> 16), 0x85_eb_ca_6b);
    word = Math.imul(word ^ (word >>> 13), 0xc2_b2_ae_35);
    state[i] = word ^ (word >>> 16);
  }
  return () => {
    const result = Math.imul(rotated(Math.imul(state[1], 5), 7), 9) >>> 0;
    const shifted = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotated(state[3], 11);
    return result / 2 ** 32;
  };
}
