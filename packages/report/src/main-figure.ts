import { s } from 'hastscript';
import { label, placed, type Drawing } from './charts/svg.ts';
import { filterMap } from './charts/filter-map.ts';
import { layerChart } from './charts/layer-chart.ts';
import type { Report } from './report.ts';
import { headline, imageCount, weightsName } from './wording.ts';

const MARGIN = 28;

/** The picture that stands for a report: the layers' shares above the map of all filters, with what they are of. */
export function mainFigure(report: Report): Drawing {
  const { document, layers, filters, published } = report;
  const chart = layerChart(layers, { published });
  const map = filterMap(filters, 'zeroShare');
  const width = chart.width + 2 * MARGIN;
  const warnings = warningsOf(report);
  const chartTop = 92 + warnings.length * 20;
  const mapTop = chartTop + chart.height + 50;
  const height = mapTop + map.height + MARGIN;
  const lines = [
    label(MARGIN, 38, 'f-title', headline(report)),
    label(
      MARGIN,
      60,
      'f-text',
      `${imageCount(report)}, weights ${weightsName(document.weights)}, fit ${document.settings.fit}, run ${document.run.slice(0, 12)}`,
    ),
    ...warnings.map((text, i) => label(MARGIN, 82 + i * 20, 'f-warning', text)),
  ];
  return {
    width,
    height,
    content: [
      s('rect', { className: ['f-page'], width, height }),
      ...lines,
      label(MARGIN, chartTop + 14, 'f-strong', 'a'),
      placed(MARGIN, chartTop, chart),
      label(MARGIN, mapTop + 14, 'f-strong', 'b'),
      placed(MARGIN, mapTop, map),
    ],
  };
}

/** What nobody may overlook. */
export function warningsOf({ document, index, complete }: Report): string[] {
  const rows = `${index.images.toLocaleString('en-US')} of ${document.manifest.rows.toLocaleString('en-US')}`;
  return [
    ...(document.weights.synthetic
      ? ['SYNTHETIC WEIGHTS: a made-up network; these numbers mean nothing for VGG16.']
      : []),
    ...(complete ? [] : [`INCOMPLETE RUN: ${rows} rows of the manifest are done.`]),
  ];
}
