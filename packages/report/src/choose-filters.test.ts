import { expect, test } from 'vitest';
import { chooseFilters } from './choose-filters.ts';
import { exampleReport } from './test-support/example-report.ts';

const [base] = exampleReport().filters;
const row = (filter: number, blank: number, zeroShare: number) => ({
  ...base,
  filter,
  blank,
  zeroShare,
  dead: blank === 6,
});
const names = (rows: readonly { filter: number }[]) => rows.map(({ filter }) => filter);

test('by blank images, then zero share; dead ones are in neither', () => {
  const rows = [row(0, 6, 1), row(1, 2, 0.5), row(2, 0, 0.9), row(3, 0, 0.1), row(4, 2, 0.6)];
  const { mostSilent, leastSilent } = chooseFilters(rows, 3);
  expect(names(mostSilent)).toEqual([4, 1, 2]);
  expect(names(leastSilent)).toEqual([3, 2, 1]);
});

test('of equal ones the last is most silent and the first least', () => {
  const { mostSilent, leastSilent } = chooseFilters([row(0, 0, 0.5), row(1, 0, 0.5)], 1);
  expect(names(mostSilent)).toEqual([1]);
  expect(names(leastSilent)).toEqual([0]);
});

test('without images there are none', () => {
  expect(chooseFilters([{ ...base, images: 0, zeroShare: null, dead: false }], 3)).toEqual({
    mostSilent: [],
    leastSilent: [],
  });
});
