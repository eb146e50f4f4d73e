import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { contactSheet, sheetTitle } from '@filterscope/report/contact-sheet';
import { renderPng } from '@filterscope/report/render-png';
import type { Results } from '@filterscope/results/open-results';
import { filterInFull } from '@filterscope/results/summaries';
import { topCrops } from '@filterscope/results/top-crops';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Context } from './context.ts';
import { openDataset } from './open-dataset.ts';
import { say } from './terminal.ts';

/** Pixels of the file along one of the drawing: text is read enlarged. */
const PIXELS = 2;

/** Writes the crops of a filter's top images to a PNG; where a picture is not stored, it is made now. */
export async function writeSheet(
  context: Context,
  results: Results,
  { layer, filter }: { layer: string; filter: number },
  file: string,
): Promise<void> {
  const { terminal, signal } = context;
  const { document } = results;
  configureImaging();
  await using stack = new AsyncDisposableStack();
  let opened: Promise<ObjectStore> | undefined;
  const open = async () => {
    say(terminal, 'Some pictures are not stored; making them …');
    return stack.use(await openDataset(context, document.dataset, document.access));
  };
  const dataset = () => (opened ??= open());
  const crops = await topCrops(results, layer, filter, { dataset, signal });
  const detail = await filterInFull(results, layer, filter, signal);
  const drawing = contactSheet({ document, filter: detail, crops });
  const png = await renderPng(drawing, sheetTitle(detail), PIXELS * drawing.width);
  const path = resolve(file);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, png);
  say(terminal, `The crops of its top images: ${path}`);
}
