import { basename, dirname } from 'node:path';
import { printable } from '@filterscope/errors/printable';
import type { Results } from '@filterscope/results/open-results';
import { filterInFull } from '@filterscope/results/summaries';
import { pictureImages } from '@filterscope/results/top-crops';
import type { HistogramBin } from '@filterscope/statistics/filter-detail';
import type { Context } from '../context.ts';
import { activation, count, percent, percentWithInterval } from '../format.ts';
import { placeOf } from '../place-of.ts';
import { runHeading } from '../run-heading.ts';
import { shareBar } from '../share-bar.ts';
import { renderTable } from '../table.ts';
import { write, writeJson } from '../terminal.ts';

/** Classes of a table that is to be read: so many with the highest blank rates, and with the lowest. */
const CLASSES_AN_END = 20;

type NamedDetail = Awaited<ReturnType<typeof namedDetail>>;

/** `filterscope filter`: one filter in full. */
export async function filter(
  context: Context,
  results: Results,
  name: { layer: string; filter: number },
  options: { json: boolean; sheet?: string },
): Promise<void> {
  const { terminal, signal } = context;
  if (options.sheet !== undefined) {
    const { writeSheet } = await import('../write-sheet.ts');
    await writeSheet(context, results, name, options.sheet);
  }
  const detail = await namedDetail(results, name, signal);
  if (options.json) await writeJson(terminal, detail);
  else await write(terminal.stdout, runHeading(results) + describe(detail));
}

/** The numbers of images and classes replaced by their names. */
async function namedDetail(results: Results, name: { layer: string; filter: number }, signal: AbortSignal) {
  const { document, output } = results;
  const detail = await filterInFull(results, name.layer, name.filter, signal);
  const pictured = await pictureImages(results, name.layer, detail.topImages, signal);
  const topImages = pictured.map(({ row: _row, picture, ...image }) => ({
    ...image,
    picture: picture === null ? null : placeOf(output, picture),
  }));
  const classes = detail.classes.map(({ classId, ...rates }) => ({
    class: document.classes[classId],
    ...rates,
  }));
  return { ...detail, topImages, classes, synthetic: document.weights.synthetic };
}

function describe(detail: NamedDetail): string {
  const blank = percentWithInterval(detail.blankRate, detail.blankRateLow, detail.blankRateHigh);
  const zeros = percentWithInterval(detail.zeroShare, detail.zeroShareLow, detail.zeroShareHigh);
  const facts = [
    ['blank rate', `${blank}, on ${count(detail.blank)} of ${count(detail.images)} images`],
    ['zero share', zeros],
    ['enough images', enough(detail.moreImages)],
    [
      'maximum',
      `mean ${activation(detail.meanMax)}, standard deviation ${activation(detail.standardDeviationMax)}, largest ${activation(detail.maxActivation)}`,
    ],
    [
      'quantiles',
      `half below ${activation(detail.p50)}, 90 % below ${activation(detail.p90)}, 99 % below ${activation(detail.p99)}`,
    ],
    ...(detail.dead
      ? [['dead', `fires on fewer than ${percent(detail.deadBound)} of images (one-sided 95 %)`]]
      : []),
  ];
  const parts = [
    `${detail.layer}/${detail.filter}\n`,
    renderTable([{ title: '' }, { title: '' }], facts).trimStart(),
  ];
  parts.push('\nimages by maximum\n', histogram(detail.histogram, detail.images));
  if (detail.topImages.length > 0) parts.push('\nstrongest on\n', topTable(detail));
  if (detail.classes.length > 0) parts.push('\nblank rate by class\n', classTable(detail));
  return parts.join('');
}

function enough(moreImages: number | null): string {
  if (moreImages === null) return 'one image alone has no interval';
  if (moreImages === 0) return 'yes: both intervals are within ±1 point';
  return `${count(moreImages)} more bring both intervals to ±1 point`;
}

function histogram(bins: readonly HistogramBin[], images: number): string {
  const most = Math.max(...bins.map((bin) => bin.images), 1);
  const rows = bins.map((bin) => [
    bin.high === 0 ? 'blank' : `${activation(bin.low)} – ${activation(bin.high)}`,
    count(bin.images),
    percent(bin.images / images, 1),
    shareBar(bin.images / most, 40).replaceAll('·', ''),
  ]);
  return renderTable(
    [
      { title: 'maximum', align: 'right' },
      { title: 'images', align: 'right' },
      { title: 'share', align: 'right' },
      { title: '' },
    ],
    rows,
  );
}

function topTable({ topImages }: NamedDetail): string {
  const rows = topImages.map(({ image, max, x, y, field, picture, missing }) => [
    activation(max),
    `${x}, ${y}`,
    `${field.width}×${field.height} at ${field.left}, ${field.top}`,
    picture === null ? `none: ${printable(missing!.message)}` : basename(picture),
    printable(image),
  ]);
  const table = renderTable(
    [
      { title: 'maximum', align: 'right' },
      { title: 'at', align: 'right' },
      { title: 'its field', align: 'right' },
      { title: 'in picture' },
      { title: 'of image', gives: 'shorten' },
    ],
    rows,
  );
  const folders = new Set(topImages.flatMap(({ picture }) => (picture === null ? [] : dirname(picture))));
  return [table, ...[...folders].map((folder) => `pictures: ${folder}\n`)].join('');
}

/** Of many classes those with the highest and the lowest rates. */
function classTable({ classes }: NamedDetail): string {
  const sorted = classes.toSorted((a, b) => b.blankRate - a.blankRate);
  const more = Math.max(0, classes.length - 2 * CLASSES_AN_END);
  const shown = more > 0 ? sorted.toSpliced(CLASSES_AN_END, more) : classes;
  const rows = shown.map((row) => [
    printable(row.class),
    count(row.images),
    percentWithInterval(row.blankRate, row.blankRateLow, row.blankRateHigh),
  ]);
  const note =
    more > 0
      ? `${count(more)} classes lie between the first and the last ${CLASSES_AN_END}: --json has them\n`
      : '';
  const table = renderTable(
    [
      { title: 'class', gives: 'shorten' },
      { title: 'images', align: 'right' },
      { title: 'blank rate, 95 %', align: 'right' },
    ],
    rows,
  );
  return table + note;
}
