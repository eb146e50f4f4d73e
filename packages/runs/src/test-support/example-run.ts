import type { Commit } from '../commit.ts';
import type { IndexDocument } from '../index-document.ts';
import { DEFAULT_ACCESS, type RunDocument } from '../run-document.ts';

/** A run of 100 images in chunks of 8, as `run.json` has it. */
export function exampleRun(given: Partial<RunDocument> = {}): RunDocument {
  return {
    v: 1,
    run: '0'.repeat(64),
    createdAt: '2024-05-06T07:00:00.000Z',
    dataset: '/photos',
    access: DEFAULT_ACCESS,
    manifest: { digest: 'd', rows: 100, images: 100 },
    weights: {
      sha256: '1'.repeat(64),
      name: 'synthetic',
      flavour: 'keras',
      synthetic: true,
      imagenet: false,
    },
    settings: {
      layers: ['block1_conv1', 'block2_conv1'],
      fit: 'crop',
      kernel: 'bilinear-antialiased',
      grids: { first: 16 },
      gridStyle: 'filter',
      gridFormat: 'jpeg',
      readings: 'full',
      until: null,
      topK: 16,
      countDuplicates: 'each',
    },
    labels: null,
    classes: ['cat', 'dog'],
    chunkSize: 8,
    gridRows: 16,
    crops: 'all',
    reuse: null,
    versions: { filterscope: '0.1.0' },
    ...given,
  };
}

/** A commit of `exampleRun` whose eight images were all ok, done in two seconds. */
export function exampleCommit(chunk: number, given: Partial<Commit> = {}): Commit {
  const object = { key: 'k', sizeBytes: 1, sha256: 's' };
  return {
    v: 1,
    run: '0'.repeat(64),
    chunk,
    revision: 0,
    attempt: `attempt-${chunk}`,
    rows: 8,
    ok: 8,
    failed: 0,
    skipped: 0,
    reused: 0,
    engine: { name: 'onnx-cpu', version: '1.30.0', processor: 'x64-avx2' },
    startedAt: '2024-05-06T07:08:00.000Z',
    committedAt: '2024-05-06T07:08:02.000Z',
    stageSeconds: {},
    folder: 'f/',
    images: object,
    accumulators: object,
    readings: null,
    ...given,
  };
}

/** `complete.json` of a run of one image. */
export function exampleIndex(given: Partial<IndexDocument> = {}): IndexDocument {
  return {
    v: 1,
    run: '0'.repeat(64),
    generation: 'g',
    builtAt: '2024-05-06T07:09:00.000Z',
    images: 1,
    stoppedAt: null,
    ok: 1,
    failed: 0,
    skipped: 0,
    reused: 0,
    duplicates: 0,
    engines: [{ name: 'onnx-cpu', version: '1.30.0', processor: 'x64-avx2' }],
    startedAt: '2024-05-06T07:08:00.000Z',
    committedAt: '2024-05-06T07:08:02.000Z',
    tables: { runs: [], layers: [], filters: [], images: [], readings: [] },
    merged: 'm',
    cropImages: 0,
    ...given,
  };
}
