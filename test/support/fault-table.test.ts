import { expect, test } from 'vitest';
import { faultTable, type FaultOutcome } from './fault-table.ts';

const good: FaultOutcome = {
  fault: 'a fault',
  injected: 'a signal',
  submitted: 42,
  accounted: 42,
  identical: true,
  exception: null,
  remains: 1,
  seconds: 2,
};
const rowsOf = (...outcomes: FaultOutcome[]) => faultTable(outcomes).split('\n').slice(2);

test('a line for each fault, over all its repetitions', () => {
  expect(rowsOf()).toEqual([]);
  expect(
    rowsOf(good, { ...good, seconds: 4 }, { ...good, fault: 'another', exception: 'a.png: poison' }),
  ).toEqual([
    '| a fault | a signal | nothing | 84 of 84 | identical | 2 | 2 | 2.0–4.0 |',
    '| another | a signal | nothing | 42 of 42 | identical, but for a.png: poison | 1 | 1 | 2.0 |',
  ]);
});

test('what was lost or differs in one repetition is not hidden by the others', () => {
  const [row] = rowsOf(good, { ...good, accounted: 40, identical: false }, good);
  expect(row).toContain('**2 images** | 124 of 126 | **differ in 1**');
});
