import { expect, test } from 'vitest';
import { exampleReport } from './test-support/example-report.ts';

test('a class’s blank rate is the mean over a layer’s filters and the class’s images', () => {
  // Rows 0, 2 and 4 are cats: of 64 filters one is blank on all three, another on row 0.
  expect(exampleReport().classes).toEqual([
    { name: 'cat', images: 3, blankRates: [(3 + 1) / (3 * 64), (3 + 1) / (3 * 128)] },
    { name: 'dog', images: 3, blankRates: [1 / 64, 1 / 128] },
  ]);
});
