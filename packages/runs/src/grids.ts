import { cholletGrid } from '@filterscope/imaging/chollet-grid';
import { clippedShare } from '@filterscope/imaging/clipped-share';
import { markBlankTiles } from '@filterscope/imaging/draw-grid';
import { encodeGrid } from '@filterscope/imaging/encode-grid';
import { gridLayout, gridSize } from '@filterscope/imaging/grid-layout';
import type { GridMetadata } from '@filterscope/imaging/grid-metadata';
import { takeTurn } from '@filterscope/imaging/take-turn';
import type { ImageResult, InferRequest } from '@filterscope/vgg16/engine';
import type { ConvolutionLayer } from '@filterscope/vgg16/layers';
import type { GreyScales } from './calibrate-scales.ts';
import { measuredLayers, type RunDocument } from './run-document.ts';

/** One layer's grid, drawn and encoded when asked. */
export interface LayerGrid {
  readonly layer: string;
  /** Of the file's name: `jpg` or `png`. */
  readonly extension: string;
  readonly encode: () => Promise<Uint8Array>;
}

/** How a run's grids look; a run without grids is drawn as it would be by default. */
export function gridLook({ settings }: RunDocument) {
  const style = settings.gridStyle ?? 'tile';
  const format = settings.gridFormat ?? 'jpeg';
  return { style, format, extension: format === 'jpeg' ? 'jpg' : 'png' };
}

/** What the engine has to give for a run's grids. */
export function mapsForGrids(
  document: RunDocument,
  scales: GreyScales | null,
): NonNullable<InferRequest['maps']> {
  const { style } = gridLook(document);
  if (style === 'chollet') return { kind: 'activations' };
  if (style === 'tile' || !scales) return { kind: 'tile' };
  return { kind: 'reference', references: referencesOf(document, scales) };
}

function referencesOf(document: RunDocument, scales: GreyScales): Float32Array {
  return Float32Array.from(measuredLayers(document).flatMap(({ layer }) => scales[layer] ?? []));
}

/** The grids of one image, a layer each, from what the engine gave for {@link mapsForGrids}. */
export function layerGrids(
  document: RunDocument,
  scales: GreyScales | null,
  image: string,
  { readings, tiles, activations }: ImageResult,
): LayerGrid[] {
  const { style, format, extension } = gridLook(document);
  const { sha256, synthetic } = document.weights;
  const about = { style, run: document.run, weights: sha256, image, ...(synthetic && { synthetic }) };
  let offset = 0;
  return measuredLayers(document).map((shape, i): LayerGrid => {
    const { layer, filters, size } = shape;
    const maxima = readings.max.subarray(offset, (offset += filters));
    const metadata = { ...about, layer };
    const encode = async () => {
      if (activations) {
        const picture = await cholletGrid(activations[i], filters, size);
        return encodeGrid({ ...picture, channels: 3, format, metadata });
      }
      await takeTurn(); // thirteen grids of several images are asked for at once
      return encodeTiles(tiles![i], shape, maxima, scales?.[layer], format, metadata);
    };
    return { layer, extension, encode };
  });
}

function encodeTiles(
  plane: Uint8Array,
  { filters, size }: ConvolutionLayer,
  maxima: Float32Array,
  references: readonly number[] | undefined,
  format: 'jpeg' | 'png',
  about: Omit<GridMetadata, 'clippedShare'>,
): Promise<Uint8Array> {
  const layout = gridLayout(filters);
  const clipped = references ? { clippedShare: clippedShare(plane, layout, size, maxima, references) } : {};
  markBlankTiles(plane, layout, size, maxima);
  return encodeGrid({ pixels: plane, ...gridSize(layout, size), format, metadata: { ...about, ...clipped } });
}
