import { createHash } from 'node:crypto';
import { encodeAccumulator } from '@filterscope/runs/accumulator-file';
import { putCommit, putObject } from '@filterscope/runs/commit';
import { imageColumns, type ImageRow } from '@filterscope/runs/image-row';
import { manifestOf, openManifest } from '@filterscope/runs/manifest';
import type { ManifestRow } from '@filterscope/runs/manifest-rows';
import { encodeParquet } from '@filterscope/runs/parquet';
import { createRun, planRun } from '@filterscope/runs/plan-run';
import { encodeReadings, type ReadingsRow } from '@filterscope/runs/readings-table';
import {
  chunkCount,
  chunkRows,
  measuredLayers,
  RESIZE_KERNEL,
  type RunDocument,
} from '@filterscope/runs/run-document';
import { attemptFolder } from '@filterscope/runs/run-keys';
import { addReadings, createAccumulator } from '@filterscope/statistics/accumulator';
import { sumsByLayer } from '@filterscope/statistics/sums-by-layer';
import type { ObjectInfo, ObjectStore } from '@filterscope/storage/object-store';
import { LAYERS } from '@filterscope/vgg16/layers';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import { canonicalWeights } from '@filterscope/vgg16/weights-file';
import { createReadingsGenerator, emptyReadings } from './generated-readings.ts';

// A run without images or a network: its manifest, chunks and commits are those of a real run in all but the readings, which a
// generator makes. Readings tables are written of the first rows only: a million images' are 50 GB.

/** As many as ImageNet has. */
const CLASSES = 1000;
/** Every so manieth image is the same as the one before it. */
const DUPLICATE_EVERY = 500;

/** The content of an image, told from its key: equal numbers are equal images. */
export function contentOf(key: string): number {
  const number = Number(/(\d+)\.jpg$/.exec(key)?.[1]);
  return number % DUPLICATE_EVERY === 1 ? number - 1 : number;
}

export interface GeneratedRun {
  readonly images: number;
  /** Two networks measure the same images differently: 0 is fitted by cropping, others by stretching. */
  readonly variant: number;
  /** Rows that have readings, and the rest of their chunks. */
  readonly readRows: number;
}

/** Plans the run; the same run again is the same. */
export async function planGeneratedRun(
  output: ObjectStore,
  { images, variant }: GeneratedRun,
): Promise<RunDocument> {
  const content = { ...syntheticWeights(), layers: new Map() };
  const manifest = await manifestOf(listing(images));
  const plan = planRun(
    manifest,
    {
      layers: LAYERS.map(({ layer }) => layer),
      fit: variant === 0 ? 'crop' : 'stretch',
      kernel: RESIZE_KERNEL,
      grids: 'none',
      gridStyle: null,
      gridFormat: null,
      readings: 'full',
      topK: 16,
      countDuplicates: 'each',
      until: null,
    },
    { content, ...canonicalWeights(content) },
  );
  const { signal } = new AbortController();
  return (await createRun(plan, { dataset: 's3://generated/images', output, versions: {} }, signal)).document;
}

function* listing(images: number): Generator<ObjectInfo> {
  for (let number = 0; number < images; number++) {
    const folder = `class-${String((number * 7919) % CLASSES).padStart(4, '0')}`;
    yield {
      key: `${folder}/image-${String(number).padStart(8, '0')}.jpg`,
      sizeBytes: 100_000 + (number % 50_021),
      etag: createHash('md5').update(String(number)).digest('hex'),
      modifiedAt: new Date(0),
    };
  }
}

/** Carries out every `step`th chunk from `first` on: the processes that share the work take one share each. */
export async function generateChunks(
  output: ObjectStore,
  document: RunDocument,
  { variant, readRows }: Pick<GeneratedRun, 'variant' | 'readRows'>,
  { first, step }: { first: number; step: number },
): Promise<void> {
  const layers = measuredLayers(document);
  const generator = createReadingsGenerator(layers, variant);
  const readings = emptyReadings(layers);
  const manifest = openManifest(output, document.run);
  const classIds = new Map(document.classes.map((name, i) => [name, i]));
  for (let chunk = first; chunk < chunkCount(document); chunk += step) {
    const { from, to } = chunkRows(document, chunk);
    const accumulator = createAccumulator(layers, document.settings);
    const read: ReadingsRow[] = [];
    const rows = (await manifest.read(from, to)).map((entry, i): ImageRow => {
      const row = from + i;
      generator.fill(contentOf(entry.image), readings);
      addReadings(accumulator, { row, classIds: [classIds.get(entry.class!)!] }, readings);
      if (from < readRows) read.push({ ...entry, row, readings: structuredClone(readings) });
      return { ...okRow(entry, row), ...sumsByLayer(layers, readings) };
    });
    const attempt = 'generated';
    const folder = attemptFolder(document.run, chunk, attempt);
    const columns = imageColumns(document.settings.layers);
    const images = encodeParquet(
      columns,
      rows.map((row) => ({ ...row })),
    );
    const at = new Date(Date.parse(document.createdAt) + chunk * 1000).toISOString();
    await putCommit(output, {
      v: 1,
      run: document.run,
      chunk,
      revision: 0,
      attempt,
      rows: rows.length,
      ok: rows.length,
      failed: 0,
      skipped: 0,
      reused: 0,
      engine: { name: 'generator', version: '1', processor: 'any' },
      startedAt: at,
      committedAt: at,
      stageSeconds: {},
      folder,
      images: await putObject(output, `${folder}images.parquet`, images),
      accumulators: await putObject(
        output,
        `${folder}accumulators.safetensors.zst`,
        await encodeAccumulator(accumulator),
      ),
      readings:
        read.length > 0
          ? await putObject(output, `${folder}readings.parquet`, await encodeReadings(layers, read))
          : null,
    });
  }
}

function okRow({ image, class: cls, sizeBytes, etag }: ManifestRow, row: number) {
  const sha256 = createHash('sha256')
    .update(String(contentOf(image)))
    .digest('hex');
  return {
    row,
    image,
    class: cls,
    status: 'ok' as const,
    code: null,
    message: null,
    width: 500,
    height: 375,
    format: 'jpeg',
    sizeBytes,
    etag,
    sha256,
    duplicateOf: null,
    grids: null,
  };
}
