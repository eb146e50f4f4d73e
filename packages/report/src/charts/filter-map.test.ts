import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { exampleReport } from '../test-support/example-report.ts';
import { cellPlace, colourOf, filterMap, mapBands } from './filter-map.ts';
import { svgElement, svgText } from './svg.ts';

const { filters } = exampleReport();
const svgOf = (points = filters) =>
  svgText(svgElement(filterMap(points, 'zeroShare'), { id: 'm', title: 't', description: 'd' }));

const brightness = (share: number) =>
  Buffer.from(colourOf(share).slice(1), 'hex').reduce(
    (sum, value, i) => sum + value * [0.299, 0.587, 0.114][i],
    0,
  );

test('every filter has one cell, which says what it is', () => {
  const titles = Array.from(svgOf().matchAll(/<title>(block[^<]*)<\/title>/g), ([, title]) => title);
  expect(titles).toHaveLength(64 + 128);
  expect(titles[2]).toBe('block1_conv1/2: 1.57 % zeros, blank on 0 of 6');
  expect(titles[64]).toBe('block2_conv1/0: 100.00 % zeros, blank on 6 of 6');
});

test('dead filters are crossed and counted', () => {
  expect(svgOf().match(/class="f-dead"/g)).toHaveLength(2 + 1); // one in the legend
  expect(svgOf()).toContain('dead: blank on every image (2 of 192)');
});

test('no two cells of a layer, and no two layers, overlap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 511 }), fc.integer({ min: 0, max: 511 }), (a, b) => {
      fc.pre(a !== b);
      const [p, q] = [cellPlace(a), cellPlace(b)];
      expect(Math.max(Math.abs(p.x - q.x), Math.abs(p.y - q.y))).toBeGreaterThanOrEqual(12.5);
    }),
  );
  const bands = mapBands(filters);
  expect(bands.map(({ layer, rows }) => [layer, rows])).toEqual([
    ['block1_conv1', 1],
    ['block2_conv1', 2],
  ]);
  expect(bands[1].top).toBeGreaterThan(bands[0].top + 12.5);
});

test('colours run from dark to bright, and what is not known is grey', () => {
  expect(colourOf(0)).toBe('#440154');
  expect(colourOf(1)).toBe('#fde725');
  expect(colourOf(null)).toBe('#808080');
  fc.assert(
    fc.property(fc.double({ min: 0, max: 0.95, noNaN: true }), (share) => {
      expect(brightness(share + 0.05)).toBeGreaterThan(brightness(share));
    }),
  );
});
