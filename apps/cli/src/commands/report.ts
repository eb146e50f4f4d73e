import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { gatherReport } from '@filterscope/report/gather-report';
import { mainFigure } from '@filterscope/report/main-figure';
import { reportPage } from '@filterscope/report/page/report-page';
import { renderPng } from '@filterscope/report/render-png';
import { headline } from '@filterscope/report/wording';
import type { Results } from '@filterscope/results/open-results';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Context } from '../context.ts';
import { bytes } from '../format.ts';
import { openDataset } from '../open-dataset.ts';
import { say, write, writeJson } from '../terminal.ts';

/** `filterscope report`: a run as one HTML file and a PNG of its main figure. */
export async function report(
  context: Context,
  results: Results,
  options: { to?: string; json: boolean },
): Promise<void> {
  const { terminal, signal, versions } = context;
  const { document, complete } = results;
  const html = resolve(options.to ?? `filterscope-report-${document.run.slice(0, 8)}.html`);
  const png = html.replace(/\.html?$/i, '.png');
  configureImaging();
  await using stack = new AsyncDisposableStack();
  let opened: Promise<ObjectStore> | undefined;
  const open = async () => stack.use(await openDataset(context, document.dataset, document.access));
  const dataset = () => (opened ??= open());
  say(terminal, 'Gathering the numbers and cutting crops …');
  const gathered = await gatherReport(results, { dataset, madeBy: versions['filterscope'], signal });
  const page = reportPage(gathered);
  const picture = await renderPng(mainFigure(gathered), headline(gathered));
  await mkdir(dirname(html), { recursive: true });
  await writeFile(html, page);
  await writeFile(png, picture);
  const { synthetic } = document.weights;
  if (options.json) await writeJson(terminal, { run: document.run, html, png, complete, synthetic });
  else
    await write(
      terminal.stdout,
      `${html} (${bytes(Buffer.byteLength(page))})\n${png} (${bytes(picture.length)})\n`,
    );
}
