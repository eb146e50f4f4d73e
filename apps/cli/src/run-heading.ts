import { printable } from '@filterscope/errors/printable';
import type { Results } from '@filterscope/results/open-results';
import { earlyStop } from './early-stop.ts';
import { count, ending, shortRun } from './format.ts';
import { syntheticNote } from './synthetic-note.ts';

/** What the tables below are about; on standard output, with them. */
export function runHeading({ document, index, complete }: Results): string {
  const { run, dataset, weights, settings, manifest } = document;
  const images = complete
    ? `${count(index.ok)} images`
    : `${count(index.ok)} images so far (${count(index.images)} of ${count(manifest.rows)} rows)`;
  const stop = complete ? earlyStop(document, index.stoppedAt) : undefined;
  const lines = [
    `run ${shortRun(run)} · ${ending(printable(dataset), 80)}`,
    `${images} · weights ${printable(weights.name)} (${weights.flavour}) · fit ${settings.fit}`,
    ...(stop === undefined ? [] : [stop]),
    ...(settings.until ? ['intervals hold however often they were looked at, and are wider for it'] : []),
    ...(weights.synthetic ? [syntheticNote()] : []),
  ];
  return lines.join('\n') + '\n\n';
}
