import { printable } from '@filterscope/errors/printable';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { drawImage, storedGrids } from '@filterscope/runs/draw-image';
import type { ImageRow } from '@filterscope/runs/image-row';
import { measuredLayers, type RunDocument } from '@filterscope/runs/run-document';
import { weightsKey } from '@filterscope/runs/run-keys';
import { findImage } from '@filterscope/results/images';
import type { Results } from '@filterscope/results/open-results';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { LAYERS } from '@filterscope/vgg16/layers';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import type { Context } from '../context.ts';
import { count } from '../format.ts';
import { openDataset } from '../open-dataset.ts';
import { openEngine } from '../open-engine.ts';
import { placeOf } from '../place-of.ts';
import { runHeading } from '../run-heading.ts';
import { shareBar } from '../share-bar.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJson } from '../terminal.ts';

/** `filterscope image`: one image in full, its grids drawn now where none are stored. */
export async function image(
  context: Context,
  results: Results,
  key: string,
  options: { json: boolean },
): Promise<void> {
  const { terminal, signal } = context;
  const { document, output } = results;
  const row = await findImage(results, key, signal);
  const grids: Record<string, string> = {};
  if (row.status === 'ok') {
    const stored =
      (await storedGrids(document, output, row, signal)) ?? (await draw(context, document, output, row));
    for (const { layer, key } of stored) grids[layer] = placeOf(output, key);
  }
  if (options.json) await writeJson(terminal, { ...row, grids, synthetic: document.weights.synthetic });
  else await write(terminal.stdout, runHeading(results) + describe(row, document, grids));
}

async function draw(context: Context, document: RunDocument, output: ObjectStore, row: ImageRow) {
  const { terminal, signal } = context;
  say(terminal, 'No grids are stored for this image; drawing them …');
  configureImaging();
  await using dataset = await openDataset(context, document.dataset, document.access);
  const engine = async () => {
    const { bytes } = await output.get(weightsKey(document.weights.sha256), undefined, signal);
    return openEngine(await parseWeights(bytes, document.weights.name), measuredLayers(document), {
      threads: 1,
    });
  };
  return await drawImage(document, dataset, output, row, engine, signal);
}

function describe(row: ImageRow, { settings }: RunDocument, grids: Record<string, string>): string {
  const facts = [
    ['image', printable(row.image)],
    ...(row.class === null ? [] : [['class', printable(row.class)]]),
    [
      'status',
      row.code === null ? row.status : `${row.status}: ${row.code}, ${printable(row.message ?? '')}`,
    ],
    ...(row.width === null
      ? []
      : [['picture', `${row.width}×${row.height} ${row.format}, ${count(row.sizeBytes)} bytes`]]),
  ];
  const head = facts.map(([name, value]) => `${name.padEnd(9)}${value}`).join('\n') + '\n';
  const { blankFilters } = row;
  if (blankFilters === null) return head;
  const layers = LAYERS.filter(({ layer }) => settings.layers.includes(layer));
  const rows = layers.map(({ layer, filters }) => {
    const blank = blankFilters[layer] ?? 0;
    return [layer, `${blank} of ${filters}`, shareBar(blank / filters, 20)];
  });
  const table = renderTable(
    [{ title: 'layer' }, { title: 'blank filters', align: 'right' }, { title: '' }],
    rows,
  );
  return `${head}\n${table}\ngrids\n${Object.values(grids)
    .map((path) => `  ${path}`)
    .join('\n')}\n`;
}
