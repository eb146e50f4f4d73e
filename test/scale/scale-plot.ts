import type { Scale } from './scale-report.ts';

const WIDTH = 820;
const HEIGHT = 330;
const PANEL = { width: 290, height: 230, top: 46 };
const TEXT = 'font-family="system-ui, sans-serif" font-size="12" fill="#333"';
const COLOURS = ['#4269d0', '#efb118', '#ff725c', '#6cc5b0', '#a463f2'];

interface Line {
  readonly name: string;
  readonly values: readonly number[];
}

/** How seconds and memory grow with the number of images, as SVG. */
export function scalePlot(scales: readonly Scale[]): string {
  const of = (name: string, value: (scale: Scale) => number): Line => ({ name, values: scales.map(value) });
  const seconds = [
    of('completion', ({ completion }) => completion.seconds),
    ...Object.keys(scales[0].questions).map((name) => of(name, ({ questions }) => questions[name].median)),
  ];
  const memory = [of('', ({ completion }) => completion.peakBytes / 1e6)];
  const images = scales.map((scale) => scale.images);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    panel('seconds', images, seconds, [0.1, 1, 10, 100], 52),
    panel('peak memory of completion, MB', images, memory, [100, 1000], 492),
    '</svg>',
    '',
  ].join('\n');
}

const text = (x: number, y: number, words: string, more = '') =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${TEXT} ${more}>${words}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, more = '') =>
  `<line x1="${x1.toFixed(1)}" y1="${y1.toFixed(1)}" x2="${x2.toFixed(1)}" y2="${y2.toFixed(1)}" stroke="#ddd" ${more}/>`;

/** Both axes logarithmic: what grows with the images has the slope of the diagonal, what does not is level. */
function panel(
  title: string,
  images: readonly number[],
  lines: readonly Line[],
  ticks: readonly number[],
  left: number,
): string {
  const bottom = PANEL.top + PANEL.height;
  const [few, many] = [images[0], images.at(-1)!];
  const [low, high] = [ticks[0], ticks.at(-1)!];
  const x = (count: number) => left + (PANEL.width * Math.log(count / few)) / Math.log(many / few);
  const y = (value: number) => bottom - (PANEL.height * Math.log(value / low)) / Math.log(high / low);
  const drawn = lines.flatMap(({ values }, i) => {
    const points = values.map((value, at) => `${x(images[at]).toFixed(1)},${y(value).toFixed(1)}`);
    const colour = COLOURS[i % COLOURS.length];
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...points.map((point) => {
        const [cx, cy] = point.split(',');
        return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`;
      }),
    ];
  });
  return [
    text(left, 24, title, 'font-weight="600"'),
    ...ticks.flatMap((tick) => [
      line(left, y(tick), left + PANEL.width, y(tick)),
      text(left - 8, y(tick) + 4, tick.toLocaleString('en'), 'text-anchor="end"'),
    ]),
    ...images.flatMap((count) => [
      line(x(count), PANEL.top, x(count), bottom),
      text(x(count), bottom + 18, count.toLocaleString('en'), 'text-anchor="middle"'),
    ]),
    text(left + PANEL.width / 2, bottom + 36, 'images', 'text-anchor="middle"'),
    ...drawn,
    ...names(lines, y, left + PANEL.width + 8),
  ].join('\n');
}

/** Each line's name at its end, one below the other where ends are close. */
function names(lines: readonly Line[], y: (value: number) => number, x: number): string[] {
  let lowest = -Infinity;
  return lines
    .map(({ name, values }, i) => ({ name, at: y(values.at(-1)!), colour: COLOURS[i % COLOURS.length] }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ name, at, colour }) => {
      lowest = Math.max(at + 4, lowest + 14);
      return text(x, lowest, name, `font-weight="600" style="fill:${colour}"`);
    });
}
