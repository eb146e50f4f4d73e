import { PUBLISHED_ZERO_SHARES } from '@filterscope/vgg16/published';
import type { ClusterBy } from '@filterscope/results/cluster-sums';
import type { Results } from '@filterscope/results/open-results';
import { layerRows, type LayerRow } from '@filterscope/results/summaries';
import { clusterNote } from '../cluster-note.ts';
import type { Context } from '../context.ts';
import { enoughImages } from '../enough-images.ts';
import { count, percent, percentWithInterval } from '../format.ts';
import { runHeading } from '../run-heading.ts';
import { shareBar } from '../share-bar.ts';
import { renderTable, type TableColumn } from '../table.ts';
import { write, writeJsonArray } from '../terminal.ts';

const BAR_WIDTH = 20;

/** `filterscope layers`: one row a layer. */
export async function layers(
  { terminal, signal }: Context,
  results: Results,
  options: { json: boolean; cluster?: ClusterBy },
): Promise<void> {
  const { cluster } = options;
  if (cluster !== undefined) {
    const { clusteredLayerRows } = await import('@filterscope/results/clustered-rows');
    const rows = await clusteredLayerRows(results, cluster, signal);
    if (options.json) return writeJsonArray(terminal, rows);
    return write(terminal.stdout, layersTable(results, rows, clusterNote(rows, cluster)));
  }
  const rows = await layerRows(results, signal);
  if (options.json) await writeJsonArray(terminal, rows);
  else await write(terminal.stdout, layersTable(results, rows));
}

/** @param note on the intervals: how many more images they want, unless told */
export function layersTable(
  results: Results,
  rows: readonly LayerRow[],
  note: string = enoughImages(rows, 'layers'),
): string {
  const { imagenet, flavour } = results.document.weights;
  const published = imagenet ? PUBLISHED_ZERO_SHARES[flavour] : undefined;
  const columns: TableColumn[] = [
    { title: 'layer' },
    { title: 'blank rate, 95 %', align: 'right' },
    { title: 'zero share, 95 %', align: 'right' },
    { title: 'dead', align: 'right' },
    { title: '>90 % 0', align: 'right' },
    { title: 'zero share' },
  ];
  const cells = rows.map((row) => [
    row.layer,
    percentWithInterval(row.blankRate, row.blankRateLow, row.blankRateHigh),
    percentWithInterval(row.zeroShare, row.zeroShareLow, row.zeroShareHigh),
    String(row.dead),
    `${row.mostlyZero}/${row.filters}`,
    shareBar(row.zeroShare, BAR_WIDTH, published?.get(row.layer)),
  ]);
  const notes = ['blank: all positions of a filter are 0 on an image.  zero share: positions that are 0.'];
  notes.push(note);
  if (rows.some(({ dead }) => dead > 0)) notes.push(deadNote(rows));
  if (published) notes.push('┃ in the bar: the published zero share of these weights on ImageNet.');
  return runHeading(results) + renderTable(columns, cells) + `\n${notes.join('\n')}\n`;
}

function deadNote(rows: readonly LayerRow[]): string {
  const { images, deadBound } = rows[0];
  const filters = rows.reduce((sum, row) => sum + row.filters, 0);
  return (
    `dead: blank on all ${count(images)} images, so each fires on fewer than ${percent(deadBound, deadBound! < 0.001 ? 4 : 2)} of them\n` +
    `(one-sided 95 % a filter; ${count(filters)} filters were looked at).`
  );
}
