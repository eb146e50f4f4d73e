import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Results } from '@filterscope/results/open-results';
import { pruneFilters, type Pruning } from '@filterscope/results/pruning';
import { pruningCsv, pruningMask, pruningNpz } from '@filterscope/results/pruning-files';
import { parsePruningRule } from '@filterscope/results/pruning-rule';
import type { Context } from '../context.ts';
import type { ExportFormat } from '../file-formats.ts';
import { count } from '../format.ts';
import { say, write, writeJson, type Terminal } from '../terminal.ts';

const ENCODINGS: Record<ExportFormat, (pruning: Pruning) => string | Uint8Array> = {
  'pruning-mask': pruningMask,
  csv: pruningCsv,
  npz: pruningNpz,
};

interface Options {
  readonly rule: string;
  readonly format: ExportFormat;
  /** Standard output without. */
  readonly to?: string;
  readonly json: boolean;
}

/** `filterscope export`: the filters that a rule drops, as a file for a training script. */
export async function exportPruning(
  { terminal, signal }: Context,
  results: Results,
  { rule, format, to, json }: Options,
): Promise<void> {
  if (format === 'npz' && to === undefined && !json && terminal.stdout.isTTY) {
    throw new FilterscopeError('not-for-terminals', 'an npz file is not for a terminal: add --to FILE.npz');
  }
  const pruning = await pruneFilters(results, parsePruningRule(rule), signal);
  if (to !== undefined) {
    const file = resolve(to);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, ENCODINGS[format](pruning));
    const { layers: _, ...about } = pruning;
    if (json) await writeJson(terminal, { file, format, ...about });
  } else {
    await write(terminal.stdout, ENCODINGS[json ? 'pruning-mask' : format](pruning));
  }
  sayWhatIsDropped(terminal, pruning);
}

function sayWhatIsDropped(terminal: Terminal, pruning: Pruning): void {
  const { rule, dropped, filters, images, layers, warnings } = pruning;
  const judged = `judged on ${count(images)} ${images === 1 ? 'image' : 'images'}`;
  say(terminal, `${rule}: drops ${count(dropped)} of ${count(filters)} filters, ${judged}.`);
  for (const { layer, drop, rows } of layers)
    if (drop.length > 0) say(terminal, `  ${layer}  ${drop.length} of ${rows.length}`);
  for (const warning of warnings) say(terminal, `Warning: ${warning}`);
}
