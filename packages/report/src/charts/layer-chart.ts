import { s } from 'hastscript';
import { scaleLinear, type ScaleLinear } from 'd3-scale';
import type { ElementContent } from 'hast';
import { LAYERS } from '@filterscope/vgg16/layers';
import { counted, inPercent } from '../numbers.ts';
import { label, line, rounded, type Drawing } from './svg.ts';

/** What the chart shows of a layer; fractions, null where unknown. */
export interface LayerPoint {
  readonly layer: string;
  readonly images: number;
  readonly blankRate: number | null;
  readonly blankRateLow: number | null;
  readonly blankRateHigh: number | null;
  readonly zeroShare: number | null;
  readonly zeroShareLow: number | null;
  readonly zeroShareHigh: number | null;
}

export interface LayerChartOptions {
  /** Published zero shares by layer, where they are of the same weights. */
  readonly published?: ReadonlyMap<string, number> | undefined;
}

const WIDTH = 960;
const TOP = 66;
const ROW = 25;
/** Between blocks. */
const GAP = 9;
const AXIS = 46;
const RADIUS = 4.2;
const ZERO_SHARE = { left: 116, width: 398, values: 564 };
const BLANK_RATE = { left: 604, width: 272, values: 926 };
/** Where all blank rates are tiny, the axis still reaches this far: noise is not to look like news. */
const LEAST_BLANK_RATE = 0.02;

/** Vertical places of the rows, in pixels: a gap between blocks. */
export function rowPlaces(layers: readonly string[]): { readonly centres: number[]; readonly end: number } {
  let y = TOP;
  let block: number | undefined;
  const centres = layers.map((name) => {
    const own = LAYERS.find(({ layer }) => layer === name)?.block;
    if (block !== undefined && own !== block) y += GAP;
    block = own;
    y += ROW;
    return y - ROW / 2;
  });
  return { centres, end: y };
}

/** Zero share and blank rate of each layer with 95 % intervals, one row a layer, the published zero share beside. */
export function layerChart(points: readonly LayerPoint[], { published }: LayerChartOptions = {}): Drawing {
  const { centres, end } = rowPlaces(points.map(({ layer }) => layer));
  const highest = Math.max(
    LEAST_BLANK_RATE,
    ...points.map(({ blankRate, blankRateHigh }) => blankRateHigh ?? blankRate ?? 0),
  );
  const zeroScale = scaleLinear([0, 1], [ZERO_SHARE.left, ZERO_SHARE.left + ZERO_SHARE.width]);
  const blankScale = scaleLinear([0, highest], [BLANK_RATE.left, BLANK_RATE.left + BLANK_RATE.width]).nice(5);
  const content: ElementContent[] = [
    ...legend(points, published !== undefined),
    ...panel(zeroScale, end, 'zero share', '% of a layer’s positions, mean over images'),
    ...panel(blankScale, end, 'blank rate', '% of a layer’s filters, mean over images'),
  ];
  for (const [i, point] of points.entries()) {
    const y = centres[i];
    const { layer, zeroShare, zeroShareLow, zeroShareHigh, blankRate, blankRateLow, blankRateHigh } = point;
    const known = published?.get(layer);
    content.push(
      label(ZERO_SHARE.left - 14, y + 4, 'f-text f-end', layer),
      ...(known === undefined ? [] : [publishedMark(zeroScale(known), y)]),
      ...measured(zeroScale, y, zeroShare, zeroShareLow, zeroShareHigh),
      label(ZERO_SHARE.values, y + 4, 'f-text f-end', inPercent(zeroShare)),
      ...measured(blankScale, y, blankRate, blankRateLow, blankRateHigh),
      label(BLANK_RATE.values, y + 4, 'f-text f-end', inPercent(blankRate)),
    );
  }
  return { width: WIDTH, height: end + AXIS, content };
}

function legend(points: readonly LayerPoint[], published: boolean): ElementContent[] {
  const images = points[0]?.images ?? 0;
  const y = 14;
  const left = ZERO_SHARE.left;
  const interval = images < 2 ? 'no interval from one image' : '95 % interval';
  const parts: ElementContent[] = [
    line('f-interval', left, y - 4, left + 22, y - 4),
    s('circle', { className: ['f-measured'], cx: left + 11, cy: y - 4, r: RADIUS }),
    label(left + 30, y, 'f-text', `measured, n = ${counted(images, 'image')}, ${interval}`),
  ];
  if (!published) return parts;
  return [
    ...parts,
    publishedMark(left + 300, y - 4),
    label(left + 310, y, 'f-text', 'zero share published for these weights on ImageNet'),
  ];
}

/** Title, grid lines and axis of a panel. */
function panel(
  scale: ScaleLinear<number, number>,
  end: number,
  title: string,
  unit: string,
): ElementContent[] {
  const ticks = scale.ticks(5);
  const [left, right] = scale.range();
  const digits = Math.max(0, ...ticks.map((tick) => decimals(tick * 100)));
  return [
    label(left, TOP - 18, 'f-strong', `${title}, %`),
    ...ticks.flatMap((tick) => [
      line('f-grid', scale(tick), TOP - 6, scale(tick), end + 4),
      label(scale(tick), end + 18, 'f-quiet f-middle', inPercent(tick, digits)),
    ]),
    label((left + right) / 2, end + 37, 'f-quiet f-middle', `${title}, ${unit}`),
  ];
}

const decimals = (value: number) => (/\.(\d+)$/.exec(String(rounded(value)))?.[1] ?? '').length;

function measured(
  scale: ScaleLinear<number, number>,
  y: number,
  value: number | null,
  low: number | null,
  high: number | null,
): ElementContent[] {
  if (value === null) return [];
  const dot = s('circle', {
    className: ['f-measured'],
    cx: rounded(scale(value)),
    cy: rounded(y),
    r: RADIUS,
  });
  return low === null || high === null ? [dot] : [line('f-interval', scale(low), y, scale(high), y), dot];
}

const publishedMark = (x: number, y: number) => line('f-published', x, y - 9, x, y + 9);
