import { zipSync } from 'fflate';
import { csvLine } from './csv-line.ts';
import { encodeNpy } from './npy.ts';
import type { Pruning } from './pruning.ts';

/** Version of the mask's fields. */
const VERSION = 1;

/** The filters to drop as JSON: by layer, their numbers, on one line, and how many are kept. */
export function pruningMask({ layers, ...about }: Pruning): string {
  const entries = Object.entries({ format: 'filterscope-pruning-mask', version: VERSION, ...about });
  const byLayer = layers.map(
    ({ layer, rows, drop, kept }) =>
      `    "${layer}": { "filters": ${rows.length}, "kept": ${kept}, "drop": [${drop.join(', ')}] }`,
  );
  const lines = entries.map(([name, value]) => `  "${name}": ${JSON.stringify(value)},`);
  return ['{', ...lines, '  "layers": {', byLayer.join(',\n'), '  }', '}', ''].join('\n');
}

/** One row a filter: whether it is dropped, and what is known of it. */
export function pruningCsv({ layers }: Pruning): string {
  const rows = layers.flatMap((layer) => layer.rows);
  const names = Object.keys(rows[0]) as (keyof (typeof rows)[number])[];
  const lines = rows.map((row) =>
    csvLine(names.map((name) => (row[name] === null ? null : String(row[name])))),
  );
  return csvLine(names) + lines.join('');
}

/**
 * A file that `numpy.load` opens: for each layer, under its name, an array of booleans, true for the filters that are kept;
 * and the texts `run`, `rule` and `weights_sha256`. The same pruning gives the same bytes.
 */
export function pruningNpz({ layers, run, rule, weights }: Pruning): Uint8Array {
  const arrays = [
    ...layers.map(({ layer, rows }) => [layer, encodeNpy(rows.map(({ drop }) => !drop))] as const),
    ...Object.entries({ run, rule, weights_sha256: weights.sha256 }).map(
      ([name, text]) => [name, encodeNpy(text)] as const,
    ),
  ];
  const files = Object.fromEntries(arrays.map(([name, bytes]) => [`${name}.npy`, bytes]));
  // The first moment that the format knows.
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}
