import { viridis } from '@filterscope/imaging/viridis';
import type { Element, ElementContent } from 'hast';
import { s } from 'hastscript';
import { count, inPercent } from '../numbers.ts';
import { label, line, rounded, type Drawing } from './svg.ts';

/** What the map shows of a filter; fractions, null where unknown. */
export interface FilterPoint {
  readonly layer: string;
  readonly filter: number;
  readonly images: number;
  readonly blank: number;
  readonly blankRate: number | null;
  readonly zeroShare: number | null;
  readonly dead: boolean;
}

export type MapQuantity = 'zeroShare' | 'blankRate';
const NAMES: Record<MapQuantity, string> = { zeroShare: 'zero share', blankRate: 'blank rate' };

const COLUMNS = 64;
const PITCH = 12.5;
const CELL = 11.5;
const LEFT = 140;
const TOP = 52;
/** Between layers, and between blocks. */
const GAP = { layer: 7, block: 16 };
const WIDTH = 960;

/** A layer's place in the map. */
export interface MapBand {
  readonly layer: string;
  readonly top: number;
  readonly rows: number;
  readonly points: readonly FilterPoint[];
}

/** The layers one below the other, 64 filters a row. @param points layer by layer, in filter order */
export function mapBands(points: readonly FilterPoint[]): readonly MapBand[] {
  const bands: MapBand[] = [];
  let top = TOP;
  for (const [layer, own] of Map.groupBy(points, (point) => point.layer)) {
    const before = bands.at(-1)?.layer;
    if (before !== undefined) top += blockOf(before) === blockOf(layer) ? GAP.layer : GAP.block;
    const rows = Math.ceil(own.length / COLUMNS);
    bands.push({ layer, top, rows, points: own });
    top += rows * PITCH;
  }
  return bands;
}

const blockOf = (layer: string) => layer.split('_')[0];

/** Place of a filter's cell within its band, in pixels. */
export const cellPlace = (index: number): { readonly x: number; readonly y: number } => ({
  x: (index % COLUMNS) * PITCH,
  y: Math.floor(index / COLUMNS) * PITCH,
});

/** Every filter as a cell, coloured by a share on viridis from 0 (dark) to 100 % (yellow); dead ones crossed. */
export function filterMap(points: readonly FilterPoint[], quantity: MapQuantity): Drawing {
  const bands = mapBands(points);
  const last = bands.at(-1);
  const height = last === undefined ? TOP : last.top + last.rows * PITCH + 4;
  return {
    width: WIDTH,
    height,
    content: [...scaleLegend(points, quantity), ...bands.flatMap((band) => drawBand(band, quantity))],
  };
}

function drawBand({ layer, top, rows, points }: MapBand, quantity: MapQuantity): ElementContent[] {
  const width = Math.min(points.length, COLUMNS) * PITCH - (PITCH - CELL);
  const labels = Array.from({ length: rows }, (_, row) =>
    label(LEFT - 6, top + row * PITCH + 9, 'f-small f-end', String(points[row * COLUMNS].filter)),
  );
  return [
    s('rect', {
      className: ['f-ground'],
      x: LEFT - 1,
      y: rounded(top - 1),
      width: rounded(width + 2),
      height: rounded(rows * PITCH + 1),
    }),
    label(LEFT - 34, top + 10, 'f-text f-end', layer),
    ...labels,
    s(
      'g',
      { transform: `translate(${LEFT} ${rounded(top)})` },
      ...points.map((point, index) => drawCell(point, index, quantity)),
    ),
  ];
}

function drawCell(point: FilterPoint, index: number, quantity: MapQuantity): Element {
  const { x, y } = cellPlace(index);
  const title = s('title', describe(point));
  const cell = s('path', { fill: colourOf(point[quantity]), d: `M${x} ${y}h${CELL}v${CELL}h-${CELL}z` });
  return point.dead ? s('g', cell, cross(x, y), title) : { ...cell, children: [title] };
}

const cross = (x: number, y: number) =>
  s('path', { className: ['f-dead'], d: `M${x + 3} ${y + 3}l5.5 5.5m0 -5.5l-5.5 5.5` });

const describe = ({ layer, filter, images, blank, zeroShare }: FilterPoint) =>
  `${layer}/${filter}: ${inPercent(zeroShare)} % zeros, blank on ${count(blank)} of ${count(images)}`;

/** Colour of a share 0 … 1 as `#rrggbb`; grey where it is not known. */
export function colourOf(share: number | null): string {
  if (share === null) return '#808080';
  const level = Math.round(Math.min(Math.max(share, 0), 1) * 255);
  const rgb = COLOURS.subarray(level * 3, level * 3 + 3);
  return `#${Buffer.from(rgb).toString('hex')}`;
}
const COLOURS = viridis();

function scaleLegend(points: readonly FilterPoint[], quantity: MapQuantity): ElementContent[] {
  const images = points[0]?.images ?? 0;
  const dead = points.filter((point) => point.dead).length;
  const steps = 64;
  const width = 4;
  const right = LEFT + steps * width;
  const bar = Array.from({ length: steps }, (_, i) =>
    s('path', {
      fill: colourOf((i + 0.5) / steps),
      d: `M${LEFT + i * width} 6h${width + 0.3}v10h-${width + 0.3}z`,
    }),
  );
  const ticks = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => {
    const x = LEFT + share * steps * width;
    return [line('f-outline', x, 16, x, 19), label(x, 30, 'f-quiet f-middle', inPercent(share, 0))];
  });
  return [
    ...bar,
    ...ticks,
    label(right + 20, 15, 'f-text', `${NAMES[quantity]} of a filter, %, n = ${count(images)} images`),
    s('path', { fill: colourOf(1), d: `M${right + 20} 22h${CELL}v${CELL}h-${CELL}z` }),
    cross(right + 20, 22),
    label(right + 38, 32, 'f-text', `dead: blank on every image (${count(dead)} of ${count(points.length)})`),
  ];
}
