import type { WorkerScale } from './scale-workers.ts';

const WIDTH = 760;
const HEIGHT = 300;
const PANEL = { width: 300, height: 210, top: 46 };
/** Room below the lowest point for its figure. */
const FOOT = 24;
const USES = [
  { use: 'workers', colour: '#4269d0' },
  { use: 'S3', colour: '#efb118' },
  { use: 'Redis', colour: '#ff725c' },
] as const;
const TEXT = 'font-family="system-ui, sans-serif" font-size="12" fill="#333"';

/** Images a second beside the straight line of one worker's, and which processor time they took, as SVG. */
export function scalingPlot(scales: readonly WorkerScale[], cores: number): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    throughput(scales, 56),
    processors(scales, cores, 436),
    '</svg>',
    '',
  ].join('\n');
}

const text = (x: number, y: number, words: string, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${TEXT} ${more}>${words}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, colour: string, more = '') =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="${colour}" ${more}/>`;

/** Both axes logarithmic, so that a straight line is perfect scaling. */
function throughput(scales: readonly WorkerScale[], left: number): string {
  const [one, last] = [scales[0], scales.at(-1)!];
  const bottom = PANEL.top + PANEL.height;
  const doublings = Math.log2(last.workers / one.workers);
  const x = (workers: number) => left + (PANEL.width * Math.log2(workers / one.workers)) / doublings;
  const ideal = (workers: number) => (one.imagesPerSecond * workers) / one.workers;
  const y = (rate: number) =>
    bottom - FOOT - ((PANEL.height - FOOT) * Math.log2(rate / one.imagesPerSecond)) / doublings;
  const points = scales.map(({ workers, imagesPerSecond }) => [x(workers), y(imagesPerSecond)] as const);
  return [
    text(left, 24, 'images a second (dashed: one worker’s, multiplied)', 'font-weight="600"'),
    ...scales.flatMap(({ workers, imagesPerSecond }, i) => [
      line(x(workers), PANEL.top, x(workers), bottom, '#eee'),
      line(left, y(ideal(workers)), left + PANEL.width, y(ideal(workers)), '#eee'),
      text(x(workers), bottom + 18, String(workers), 'text-anchor="middle"'),
      text(left - 8, y(ideal(workers)) + 4, ideal(workers).toFixed(0), 'text-anchor="end"'),
      text(points[i][0] + 6, points[i][1] + 16, imagesPerSecond.toFixed(1), 'font-weight="600"'),
    ]),
    line(x(one.workers), bottom - FOOT, x(last.workers), PANEL.top, '#888', 'stroke-dasharray="5 4"'),
    `<polyline points="${points.map((point) => point.map((value) => value.toFixed(1)).join(',')).join(' ')}" fill="none" stroke="#4269d0" stroke-width="2"/>`,
    ...points.map(
      ([cx, cy]) => `<circle cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3.5" fill="#4269d0"/>`,
    ),
    text(left + PANEL.width / 2, bottom + 36, 'workers', 'text-anchor="middle"'),
  ].join('\n');
}

function processors(scales: readonly WorkerScale[], cores: number, left: number): string {
  const bottom = PANEL.top + PANEL.height;
  const y = (value: number) => bottom - (PANEL.height * value) / (cores * 1.2);
  const step = PANEL.width / scales.length;
  const bars = scales.flatMap(({ workers, cores: used }, i) => {
    let base = 0;
    const x = left + step * (i + 0.2);
    const parts = USES.map(({ use, colour }) => {
      const [from, to] = [y(base), y(base + used[use])];
      base += used[use];
      return `<rect x="${x.toFixed(1)}" y="${to.toFixed(1)}" width="${(step * 0.6).toFixed(1)}" height="${(from - to).toFixed(1)}" fill="${colour}"/>`;
    });
    const middle = x + step * 0.3;
    const crossed = y(base) - y(cores) < 18; // by the line of all cores
    return [
      ...parts,
      text(
        middle,
        (crossed ? Math.min(y(cores), y(base)) : y(base)) - 5,
        base.toFixed(2),
        'text-anchor="middle"',
      ),
      text(middle, bottom + 18, String(workers), 'text-anchor="middle"'),
    ];
  });
  const legend = USES.flatMap(({ use, colour }, i) => [
    `<rect x="${left + 80 * i}" y="${PANEL.top + 2}" width="10" height="10" fill="${colour}"/>`,
    text(left + 14 + 80 * i, PANEL.top + 11, use),
  ]);
  return [
    text(left, 24, `cores in use, of ${cores}`, 'font-weight="600"'),
    ...bars,
    line(left, y(cores), left + PANEL.width, y(cores), '#c00', 'stroke-dasharray="5 4"'),
    line(left, bottom, left + PANEL.width, bottom, '#888'),
    ...legend,
    text(left + PANEL.width / 2, bottom + 36, 'workers', 'text-anchor="middle"'),
  ].join('\n');
}
