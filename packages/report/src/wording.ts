import type { RunDocument } from '@filterscope/runs/run-document';
import { count, counted, inPercent, intervalInPercent } from './numbers.ts';
import type { Report } from './report.ts';

// What page and picture say in the same words.

/** The dataset's last folder: what a person calls it. */
export function datasetName({ dataset }: RunDocument): string {
  return dataset.replace(/\/+$/, '').split('/').at(-1) || dataset;
}

export const headline = ({ document }: Report): string =>
  `Silent filters of VGG16 on ${shortened(datasetName(document))}`;

const shortened = (name: string) => {
  const characters = Array.from(name);
  return characters.length <= 48 ? name : `${characters.slice(0, 47).join('')}…`;
};

/** Images that the numbers are of. */
export const imagesMeasured = ({ layers }: Pick<Report, 'layers'>): number => layers[0]?.images ?? 0;

export const imageCount = (report: Report): string => counted(imagesMeasured(report), 'image');

export const weightsName = ({ name, flavour, imagenet, synthetic }: RunDocument['weights']): string => {
  const kind = imagenet ? `ImageNet, ${flavour}` : flavour;
  return synthetic || name === 'imagenet' ? `${name} (${flavour})` : `${name} (${kind})`;
};

/** The result in a few sentences. */
export function summary({ document, layers, filters }: Report): string {
  const mostlyZero = layers.reduce((sum, row) => sum + row.mostlyZero, 0);
  const deepest = layers.at(-1)!;
  const blank = range(deepest.blankRate, deepest.blankRateLow, deepest.blankRateHigh);
  const zeros = range(deepest.zeroShare, deepest.zeroShareLow, deepest.zeroShareHigh);
  const measured = [
    counted(imagesMeasured({ layers }), 'image'),
    counted(document.settings.layers.length, 'layer'),
    counted(filters.length, 'filter'),
  ];
  return [
    `${measured[0]}, ${measured[1]} and ${measured[2]} were measured.`,
    `In ${deepest.layer}, the deepest, a filter is blank on ${blank} of the images on average, and ${zeros} of all positions are zero.`,
    `${counted(mostlyZero, 'filter')} ${mostlyZero === 1 ? 'has' : 'have'} zeros at more than 90\u00a0% of the positions.`,
    deadSentence(filters),
  ].join(' ');
}

function range(share: number | null, low: number | null, high: number | null): string {
  const interval = low === null ? '' : ` (95\u00a0% interval ${intervalInPercent(low, high)})`;
  return `${inPercent(share)}\u00a0%${interval}`;
}

function deadSentence(filters: Report['filters']): string {
  const dead = filters.filter((row) => row.dead);
  if (dead.length === 0) return 'No filter is dead: each fires on at least one image.';
  const bound = dead[0].deadBound!;
  const [is, fires] = dead.length === 1 ? ['is', 'fires'] : ['are', 'fire'];
  return (
    `${count(dead.length)} of ${counted(filters.length, 'filter')} ${is} dead, that is blank on every image, and so ${fires} on fewer than ` +
    `${inPercent(bound, bound < 0.001 ? 4 : 2)}\u00a0% of such images (one-sided 95\u00a0% a filter, not corrected for the number looked at).`
  );
}
