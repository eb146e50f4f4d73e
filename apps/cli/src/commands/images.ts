import { printable } from '@filterscope/errors/printable';
import { PRECISION_REACHED, type ImageRow } from '@filterscope/runs/image-row';
import { imageRows } from '@filterscope/results/images';
import type { Results } from '@filterscope/results/open-results';
import type { Context } from '../context.ts';
import { count } from '../format.ts';
import { runHeading } from '../run-heading.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';

const SHOWN = 200;

/** `filterscope images` and `failures`: one row an image; `failures` those that are not ok. */
export async function images(
  { terminal, signal }: Context,
  results: Results,
  options: { json: boolean; failures: boolean },
): Promise<void> {
  const rows = wanted(imageRows(results, signal), options.failures);
  if (options.json) return writeJsonArray(terminal, answers(rows));
  const shown: ImageRow[] = [];
  let more = 0;
  for await (const row of rows) {
    if (shown.length < SHOWN) shown.push(row);
    else more += 1;
  }
  if (shown.length === 0) return say(terminal, options.failures ? allOk(results) : 'There are no images.');
  const table = options.failures
    ? failuresTable(shown)
    : imagesTable(shown, results.document.settings.layers);
  await write(terminal.stdout, runHeading(results) + table);
  if (more > 0) say(terminal, `${count(more)} more; --json gives all`);
}

const allOk = ({ index }: Results) =>
  index.stoppedAt === null ? 'Every image is ok.' : 'Every image that was looked at is ok.';

async function* answers(rows: AsyncGenerator<ImageRow>) {
  for await (const { image, class: cls, status, code, message, width, height, blankFilters } of rows)
    yield { image, class: cls, status, code, message, width, height, blankFilters };
}

async function* wanted(rows: AsyncGenerator<ImageRow>, failures: boolean): AsyncGenerator<ImageRow> {
  for await (const row of rows) {
    if (!failures || (row.status !== 'ok' && row.code !== PRECISION_REACHED)) yield row;
  }
}

function imagesTable(rows: readonly ImageRow[], layers: readonly string[]): string {
  const deepest = layers.at(-1)!;
  return renderTable(
    [
      { title: 'image', gives: 'shorten' },
      { title: 'status' },
      { title: 'size', align: 'right' },
      { title: 'blank filters', align: 'right' },
      { title: `in ${deepest}`, align: 'right' },
    ],
    rows.map(({ image, status, code, width, height, blankFilters }) => [
      printable(image),
      code === null ? status : `${status}: ${code}`,
      width === null ? '–' : `${width}×${height}`,
      blankFilters === null ? '–' : count(Object.values(blankFilters).reduce((sum, blank) => sum + blank, 0)),
      blankFilters === null ? '–' : count(blankFilters[deepest] ?? 0),
    ]),
  );
}

function failuresTable(rows: readonly ImageRow[]): string {
  return renderTable(
    [{ title: 'image', gives: 'shorten' }, { title: 'status' }, { title: 'why', gives: 'wrap' }],
    rows.map(({ image, status, code, message }) => [
      printable(image),
      `${status}: ${code}`,
      printable(message ?? ''),
    ]),
  );
}
