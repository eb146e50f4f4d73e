import { printable } from '@filterscope/errors/printable';
import type { TopCrop } from '@filterscope/results/top-crops';
import type { FilterSummary } from '@filterscope/statistics/summary';
import { receptiveField, type ReceptiveField } from '@filterscope/vgg16/receptive-field';
import { LAYERS } from '@filterscope/vgg16/layers';
import type { RunDocument } from '@filterscope/runs/run-document';
import type { ElementContent } from 'hast';
import { s } from 'hastscript';
import { label, type Drawing } from './charts/svg.ts';
import { counted, inPercent, intervalInPercent } from './numbers.ts';
import { datasetName, weightsName } from './wording.ts';

/** A receptive field's width on the sheet. */
const FIELD = 196;
const GAP = 14;
const CAPTION = 34;
const MARGIN = 24;
const HEAD = 84;
const CAPTION_LETTERS = 34;

export interface Sheet {
  readonly document: RunDocument;
  readonly filter: FilterSummary;
  readonly crops: readonly TopCrop[];
}

/** The crops of a filter's top images side by side, strongest first, each where it lies in its receptive field: beyond the picture's border is grey. */
export function contactSheet({ document, filter, crops }: Sheet): Drawing {
  const columns = Math.max(3, Math.ceil(Math.sqrt(crops.length)));
  const rows = Math.max(1, Math.ceil(crops.length / columns));
  const shape = LAYERS.find(({ layer }) => layer === filter.layer)!;
  const cells = crops.map((crop, i) => {
    const x = MARGIN + (i % columns) * (FIELD + GAP);
    const y = HEAD + Math.floor(i / columns) * (FIELD + CAPTION + GAP);
    return s(
      'g',
      { transform: `translate(${x} ${y})` },
      ...cell(crop, i, receptiveField(shape, crop.y, crop.x)),
    );
  });
  const nothing =
    crops.length === 0 ? [label(MARGIN, HEAD + 20, 'f-text', 'It is blank on every image.')] : [];
  const width = 2 * MARGIN + columns * (FIELD + GAP) - GAP;
  const height = HEAD + rows * (FIELD + CAPTION + GAP) + MARGIN - GAP;
  return {
    width,
    height,
    content: [
      s('rect', { className: ['f-page'], width, height }),
      ...heading(document, filter),
      ...nothing,
      ...cells,
    ],
  };
}

export const sheetTitle = ({ layer, filter }: FilterSummary) =>
  `${layer}/${filter}: what it responds to most`;

function heading(document: RunDocument, filter: FilterSummary): ElementContent[] {
  const { weights, run } = document;
  const blank = rate(filter.blankRate, filter.blankRateLow, filter.blankRateHigh);
  const zeros = rate(filter.zeroShare, filter.zeroShareLow, filter.zeroShareHigh);
  const about = `${counted(filter.images, 'image')} of ${printable(datasetName(document))} · ${printable(weightsName(weights))} · run ${run.slice(0, 12)}`;
  return [
    label(MARGIN, 34, 'f-title', sheetTitle(filter)),
    label(MARGIN, 54, 'f-text', `blank on ${blank} of images · zero share ${zeros}`),
    weights.synthetic
      ? label(MARGIN, 71, 'f-warning', `synthetic weights: means nothing for VGG16 · ${about}`)
      : label(MARGIN, 71, 'f-quiet', about),
  ];
}

function rate(share: number | null, low: number | null, high: number | null): string {
  return low === null ? `${inPercent(share)} %` : `${inPercent(share)} % (${intervalInPercent(low, high)})`;
}

function cell(
  { crop, missing, field, image, max, x, y }: TopCrop,
  index: number,
  whole: ReceptiveField,
): ElementContent[] {
  const scale = FIELD / whole.size;
  const [width, height] = [field.width * scale, field.height * scale];
  const [left, top] = [(field.left - whole.left) * scale, (field.top - whole.top) * scale];
  const href = crop && `data:${crop.type};base64,${Buffer.from(crop.bytes).toString('base64')}`;
  const name = Array.from(printable(image));
  const shown = name.length <= CAPTION_LETTERS ? name : ['…', ...name.slice(1 - CAPTION_LETTERS)];
  return [
    s('rect', { className: ['f-ground'], width: FIELD, height: FIELD }),
    href === null
      ? label(8, FIELD / 2, 'f-quiet', `no crop: ${missing?.code ?? 'unknown'}`)
      : // Pixels stay squares.
        s('image', { href, x: left, y: top, width, height, imageRendering: 'optimizeSpeed' }),
    label(0, FIELD + 14, 'f-strong', `${index + 1}. ${max.toPrecision(4)}`),
    label(FIELD, FIELD + 14, 'f-quiet f-end', `at ${x}, ${y}`),
    label(0, FIELD + 28, 'f-quiet', shown.join('')),
  ];
}
