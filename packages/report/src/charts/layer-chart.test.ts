import { expect, test } from 'vitest';
import { exampleRun } from '@filterscope/runs/test-support/example-run';
import { LAYERS } from '@filterscope/vgg16/layers';
import { exampleReport } from '../test-support/example-report.ts';
import { layerChart, rowPlaces, type LayerPoint } from './layer-chart.ts';
import { svgElement, svgText } from './svg.ts';

const NAMES = LAYERS.map(({ layer }) => layer);
const { settings } = exampleRun();
const { layers } = exampleReport({}, exampleRun({ settings: { ...settings, layers: NAMES } }));

const drawn = (points: readonly LayerPoint[], published?: ReadonlyMap<string, number>) => {
  const drawing = layerChart(points, { published });
  return { drawing, svg: svgText(svgElement(drawing, { id: 'c', title: 't', description: 'd' })) };
};
const dots = (svg: string) =>
  Array.from(svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g), ([, x, y]) => ({ x: Number(x), y: Number(y) }));

test('rows go down in order, with more room between blocks', () => {
  const { centres, end } = rowPlaces(NAMES);
  const steps = centres.slice(1).map((centre, i) => centre - centres[i]);
  const between = NAMES.slice(1).map((name, i) => name[5] !== NAMES[i][5]);
  expect(new Set(steps.filter((_, i) => between[i]))).toEqual(new Set([34]));
  expect(new Set(steps.filter((_, i) => !between[i]))).toEqual(new Set([25]));
  expect(end).toBeGreaterThan(centres.at(-1)!);
});

test('a dot lies where its share says, and within its interval', () => {
  const [first] = layers;
  const at = (zeroShare: number) => dots(drawn([{ ...first, zeroShare }]).svg)[1].x;
  expect((at(0.25) - at(0)) / (at(1) - at(0))).toBeCloseTo(0.25, 4);
  const { svg, drawing } = drawn(layers);
  expect(dots(svg)).toHaveLength(1 + 2 * 13); // one in the legend
  for (const { x, y } of dots(svg)) {
    expect(x).toBeGreaterThan(0);
    expect(x).toBeLessThan(drawing.width);
    expect(y).toBeLessThan(drawing.height);
  }
  for (const row of layers) expect(svg).toContain(`>${(100 * row.zeroShare!).toFixed(2)}<`);
});

test('the axis of blank rates holds the longest interval', () => {
  const [first] = layers;
  const high = { ...first, blankRate: 0.31, blankRateLow: 0.2, blankRateHigh: 0.47 };
  const { svg } = drawn([high]);
  const ticks = Array.from(svg.matchAll(/f-quiet f-middle">(\d+)</g), ([, tick]) => Number(tick));
  expect(ticks.slice(6)).toEqual([0, 10, 20, 30, 40, 50]);
});

test('published shares are marked where there are some, and n is said', () => {
  const published = new Map([
    ['block1_conv1', 0.4711],
    ['block5_conv3', 0.932],
  ]);
  expect(drawn(layers, published).svg.match(/class="f-published"/g)).toHaveLength(3); // one in the legend
  expect(drawn(layers).svg).not.toContain('f-published');
  expect(drawn(layers).svg).toContain('n = 6 images, 95 % interval');
});

test('without images there is nothing to draw, and with one no interval', () => {
  const { svg } = drawn([
    {
      ...layers[0],
      zeroShare: null,
      zeroShareLow: null,
      zeroShareHigh: null,
      blankRate: null,
      blankRateLow: null,
      blankRateHigh: null,
    },
  ]);
  expect(dots(svg)).toHaveLength(1);
  expect(drawn([{ ...layers[0], images: 1 }]).svg).toContain('no interval from one image');
});
