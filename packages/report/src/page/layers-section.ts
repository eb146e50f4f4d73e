import type { Element } from 'hast';
import { h } from 'hastscript';
import { layerChart } from '../charts/layer-chart.ts';
import { svgElement } from '../charts/svg.ts';
import { count, inPercent, intervalInPercent, signedPoints } from '../numbers.ts';
import type { Report } from '../report.ts';
import { imagesMeasured } from '../wording.ts';
import { pageFigure, pageTable, paragraph, strong, type PageColumn } from './table.ts';

/** Blank rates and zero shares of the layers, as a figure and as the same numbers in a table. */
export function layersSection({ layers, published, document }: Report): Element {
  const images = count(imagesMeasured({ layers }));
  const columns: PageColumn[] = [
    { title: 'layer', kind: 'name' },
    { title: 'filters', kind: 'number' },
    { title: 'blank rate, %', kind: 'number' },
    { title: '95 % interval', kind: 'number' },
    { title: 'zero share, %', kind: 'number' },
    { title: '95 % interval', kind: 'number' },
    ...(published
      ? [
          { title: 'published', kind: 'number' as const },
          { title: 'points off', kind: 'number' as const },
        ]
      : []),
    { title: 'dead', kind: 'number' },
    { title: '> 90 % zero', kind: 'number' },
  ];
  const rows = layers.map((row) => {
    const known = published?.get(row.layer);
    return [
      row.layer,
      count(row.filters),
      inPercent(row.blankRate),
      intervalInPercent(row.blankRateLow, row.blankRateHigh),
      inPercent(row.zeroShare),
      intervalInPercent(row.zeroShareLow, row.zeroShareHigh),
      ...(published ? [inPercent(known ?? null), difference(row.zeroShare, known)] : []),
      count(row.dead),
      count(row.mostlyZero),
    ];
  });
  const chart = svgElement(layerChart(layers, { published }), {
    id: 'layers',
    title: 'Zero share and blank rate of each layer',
    description: `Dots with 95 % intervals, one row a layer, over ${images} images. Table 1 has the same numbers.`,
  });
  return h(
    'section',
    h('h2', 'Layers'),
    pageFigure(
      chart,
      strong('Figure 1. '),
      `Zero share (left) and blank rate (right) of each layer, mean over ${images} images with 95 % intervals; the axes differ. `,
      comparison(document.weights, published !== undefined),
    ),
    paragraph(
      'A filter is blank on an image when its whole map is zero after ReLU; the zero share is the share of a map’s positions that are zero. ' +
        'Intervals hold 95 % and are normal ones from the spread between images, for a layer from its own share on each image, since the filters of one image are not independent; ' +
        'where all images give the same, and for the blank rates of single filters, they are Wilson’s. ' +
        'They take the images to be independent draws of what the dataset stands for, so that near-duplicates or frames of one film make them too narrow.',
    ),
    pageTable(
      [
        strong('Table 1. '),
        `The layers in numbers, n = ${images} images; last, filters that are zero at more than 90\u00a0% of positions.`,
      ],
      columns,
      rows,
    ),
  );
}

const difference = (share: number | null, known: number | undefined): string =>
  share === null || known === undefined ? '–' : signedPoints(share - known);

function comparison({ synthetic, flavour }: Report['document']['weights'], published: boolean): string {
  if (synthetic) return 'The weights are made up, so that there is nothing published to compare with.';
  if (!published)
    return 'The weights are not the published ImageNet ones, so that there is nothing published to compare with.';
  const source =
    flavour === 'keras'
      ? 'CNNergy’s VGG16_Main.m; Hu et al. 2016, Network Trimming, table 1, give the same to 0.05 points'
      : 'IMAGENET1K_V1, the first four layers';
  return `Upright bars: the zero share published for these weights on ImageNet (${source}). A dataset other than ImageNet need not agree with it.`;
}
