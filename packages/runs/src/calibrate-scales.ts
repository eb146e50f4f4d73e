import { gridLayout, gridSize, tileRectangle } from '@filterscope/imaging/grid-layout';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { binEdges, binOfBits, HISTOGRAM_BINS } from '@filterscope/statistics/histogram';
import { filterCount } from '@filterscope/statistics/readings';
import type { ImageResult } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { ChunkWork } from './carry-out-chunk.ts';
import { DEADLY } from './journal.ts';
import type { ManifestRow } from './manifest-rows.ts';
import { fetchImage, withoutFetching } from './process-image.ts';
import { measuredLayers } from './run-document.ts';
import { settleAll } from './settle-all.ts';

/** Images that the references of a grid's grey levels are measured on. */
const CALIBRATION_IMAGES = 16;
/** Images that are tried at most to find that many. */
const IMAGES_TRIED = 64;
/** Rows read at a time to find those. */
const ROWS_READ = 256;
/** Share of a filter's positive activations that may lie above its reference and be shown as white. */
const CLIPPED_SHARE = 0.01;
/** Positions looked at in each map, evenly spread; a quantile needs no more. */
const SAMPLED_POSITIONS = 3136;

/** What a full grey level stands for, a number a filter, by layer. */
export type GreyScales = Readonly<Record<string, readonly number[]>>;

/**
 * The 99 % quantile of each filter's positive activations on the first images of the manifest that can be decoded. (The
 * maximum would leave most pictures nearly black: the largest of some hundred thousand activations is often ten times what
 * is usual.) A filter silent on all of them gets the median of its layer's others; with no image at all, 1.
 */
export async function calibrateScales(work: ChunkWork): Promise<GreyScales> {
  const { document, engine, journal } = work;
  const layers = measuredLayers(document);
  const histogram = new Uint32Array(filterCount(layers) * HISTOGRAM_BINS);
  const deaths = (await journal?.suspects()) ?? new Map<number, number>();
  const rows = await firstImages(work);
  let measured = 0;
  const step = engine.parallel * engine.batch;
  for (let i = 0; i < rows.length && measured < CALIBRATION_IMAGES; i += step) {
    const batch = rows
      .slice(i, i + step)
      .map(({ row, entry }) => ownTiles(work, entry, row, deaths.get(row) ?? 0));
    for (const result of await settleAll(batch)) {
      if (!result || measured === CALIBRATION_IMAGES) continue;
      measured += 1;
      countActivations(histogram, layers, result);
    }
  }
  let offset = 0;
  const scales = layers.map(({ layer, filters }): [string, number[]] => {
    const bins = histogram.subarray(offset * HISTOGRAM_BINS, (offset += filters) * HISTOGRAM_BINS);
    const common = document.settings.gridStyle === 'layer';
    return [layer, common ? commonReference(bins, filters) : ownReferences(bins, filters)];
  });
  return Object.fromEntries(scales);
}

async function firstImages({ document, manifest, signal }: ChunkWork) {
  const images: { row: number; entry: ManifestRow }[] = [];
  const { rows } = document.manifest;
  for (let from = 0; from < rows && images.length < IMAGES_TRIED; from += ROWS_READ) {
    const entries = await manifest.read(from, Math.min(from + ROWS_READ, rows), signal);
    for (const [i, entry] of entries.entries())
      if (!withoutFetching(entry, from + i)) images.push({ row: from + i, entry });
  }
  return images.slice(0, IMAGES_TRIED);
}

/**
 * @param histogram `[filter, bin]`, over all layers, to which the positive activations of sampled positions are added. They
 * are read off tiles scaled to their own maximum: 255 levels are more than the histogram's bins tell apart.
 */
function countActivations(
  histogram: Uint32Array,
  layers: readonly ConvolutionLayer[],
  { tiles, readings }: ImageResult,
): void {
  let index = 0;
  const levels = new Uint32Array(256);
  for (const [i, { filters, size, positions }] of layers.entries()) {
    const layout = gridLayout(filters);
    const { width } = gridSize(layout, size);
    const step = Math.max(1, Math.floor(Math.sqrt(positions / SAMPLED_POSITIONS)));
    for (let filter = 0; filter < filters; filter++, index++) {
      const { left, top } = tileRectangle(layout, size, filter);
      levels.fill(0);
      for (let row = top; row < top + size; row += step) {
        for (let at = row * width + left; at < row * width + left + size; at += step)
          levels[tiles![i][at]] += 1;
      }
      for (let level = 1; level < 256; level++) {
        const activation = (readings.max[index] * level) / 255;
        if (levels[level] > 0) histogram[index * HISTOGRAM_BINS + binOf(activation)] += levels[level];
      }
    }
  }
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function binOf(activation: number): number {
  float[0] = activation;
  return binOfBits(bits[0]);
}

function ownReferences(bins: Uint32Array, filters: number): number[] {
  const own = Array.from({ length: filters }, (_, filter) => {
    return quantile(bins.subarray(filter * HISTOGRAM_BINS, (filter + 1) * HISTOGRAM_BINS));
  });
  const firing = own.filter((reference) => reference > 0).toSorted((a, b) => a - b);
  const median = firing[firing.length >> 1] ?? 1;
  return own.map((reference) => reference || median);
}

function commonReference(bins: Uint32Array, filters: number): number[] {
  const all = new Uint32Array(HISTOGRAM_BINS);
  for (const [i, images] of bins.entries()) all[i % HISTOGRAM_BINS] += images;
  return Array.from({ length: filters }, () => quantile(all) || 1);
}

/** Upper edge of the bin that holds the quantile, at most a quarter octave above it; 0 for an empty histogram. */
function quantile(bins: Uint32Array): number {
  const total = bins.reduce((sum, count) => sum + count, 0);
  let above = 0;
  for (let bin = HISTOGRAM_BINS - 1; bin > 0; bin--) {
    above += bins[bin];
    if (above > total * CLIPPED_SHARE) return binEdges(bin).high;
  }
  return 0;
}

/** @param deaths attempts that ended with this image in hand: it is measured by itself, or not at all */
async function ownTiles(
  { document, dataset, engine, workplace, journal, signal }: ChunkWork,
  entry: ManifestRow,
  row: number,
  deaths: number,
): Promise<ImageResult | undefined> {
  if (deaths >= DEADLY) return undefined;
  const measure = async () => {
    signal.throwIfAborted();
    const fetched = await fetchImage(dataset, entry, signal);
    if (!('bytes' in fetched)) return undefined; // the run itself will meet this image again and say what is wrong with it
    await journal?.takeUp(row);
    try {
      const prepared = await prepareImage(fetched.bytes, document.settings.fit, signal);
      if (prepared.status === 'failed') return undefined;
      const [result] = await engine.infer([prepared.pixels], { maps: { kind: 'tile' } }, signal);
      return result?.readings.max.every(Number.isFinite) ? result : undefined;
    } finally {
      await journal?.putDown(row);
    }
  };
  return deaths > 0 ? workplace.alone(measure) : workplace.inHand(measure);
}
