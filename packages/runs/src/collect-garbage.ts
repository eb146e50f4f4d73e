import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectInfo, ObjectStore } from '@filterscope/storage/object-store';
import { readCommits } from './commit.ts';
import { cropParts, readCropPart } from './crop-parts.ts';
import { readComplete } from './index-document.ts';
import { readRunDocument } from './run-document.ts';
import {
  chunksFolder,
  cropPartsFolder,
  cropsFolder,
  drawnFolder,
  indexFolder,
  INDEX_TABLES,
  pictureKey,
  picturesFolder,
  runFolder,
  RUNS,
  weightsKey,
} from './run-keys.ts';

/** Why an object is garbage. */
export type GarbageReason =
  | 'uncommitted-attempt'
  | 'deleted-run'
  | 'unused-weights'
  | 'drawn-grid'
  | 'old-crops';

export interface Garbage {
  readonly key: string;
  readonly sizeBytes: number;
  readonly reason: GarbageReason;
}

/**
 * Objects that no run needs and that nobody has touched since `before`, so that work in progress is safe: attempts that
 * never got their commit, remains of deleted runs, weights of no run, grids drawn for a question,
 * pictures for crops that a retry has made useless.
 */
export async function* findGarbage(
  output: ObjectStore,
  before: Date,
  signal?: AbortSignal,
): AsyncGenerator<Garbage> {
  const old = ({ modifiedAt }: ObjectInfo) => modifiedAt < before;
  const runs = new Set<string>();
  const folders = new Set<string>();
  for await (const run of output.folders(RUNS, signal)) folders.add(run);
  const weights = new Set<string>();
  for (const run of folders) {
    const document = await readRunDocument(output, run, signal).catch(unlessUnknown);
    if (!document) continue;
    runs.add(run);
    weights.add(weightsKey(document.weights.sha256));
  }

  for (const run of folders) {
    if (!runs.has(run)) {
      yield* garbageIn(output, runFolder(run), 'deleted-run', old, signal);
      continue;
    }
    const named: string[] = [];
    for await (const { folder } of readCommits(output, run, signal)) named.push(folder);
    const committed = new Set(named);
    const uncommitted = (info: ObjectInfo) => old(info) && !committed.has(attemptOf(info.key));
    yield* garbageIn(output, chunksFolder(run), 'uncommitted-attempt', uncommitted, signal);
    yield* garbageIn(output, drawnFolder(run), 'drawn-grid', old, signal);
    yield* oldCrops(output, run, old, signal);
  }
  for (const table of INDEX_TABLES) {
    for await (const folder of output.folders(`index/${table}/`, signal)) {
      const run = folder.replace(/^run=/, '');
      if (!runs.has(run)) yield* garbageIn(output, indexFolder(table, run), 'deleted-run', old, signal);
    }
  }
  const unused = (info: ObjectInfo) => old(info) && !weights.has(info.key);
  yield* garbageIn(output, 'weights/', 'unused-weights', unused, signal);
}

/** Once all crops of a run's newest index are made, what only earlier ones needed. The pictures first: the rest tells that there are some. */
async function* oldCrops(
  output: ObjectStore,
  run: string,
  old: (info: ObjectInfo) => boolean,
  signal?: AbortSignal,
): AsyncGenerator<Garbage> {
  const index = await readComplete(output, run, signal);
  if (!index) return;
  const current = cropPartsFolder(run, index.generation);
  const parts = await Array.fromAsync(output.list(cropsFolder(run), signal));
  if (parts.every(({ key }) => key.startsWith(current))) return;
  const document = await readRunDocument(output, run, signal);
  const needed = new Set<string>();
  for (let part = 0; part < cropParts(document, index).count; part++) {
    const done = await readCropPart(output, run, index.generation, part, signal);
    if (!done) return;
    for (const row of done.rows) needed.add(pictureKey(run, row));
  }
  const useless = (info: ObjectInfo) => old(info) && !needed.has(info.key);
  yield* garbageIn(output, picturesFolder(run), 'old-crops', useless, signal);
  const earlier = (info: ObjectInfo) => old(info) && !info.key.startsWith(current);
  yield* garbageIn(output, cropsFolder(run), 'old-crops', earlier, signal);
}

function unlessUnknown(error: unknown): undefined {
  if (error instanceof FilterscopeError && error.code === 'unknown-run') return undefined;
  throw error;
}

async function* garbageIn(
  output: ObjectStore,
  folder: string,
  reason: GarbageReason,
  isGarbage: (info: ObjectInfo) => boolean,
  signal?: AbortSignal,
): AsyncGenerator<Garbage> {
  for await (const info of output.list(folder, signal)) {
    if (isGarbage(info)) yield { key: info.key, sizeBytes: info.sizeBytes, reason };
  }
}

/** The attempt's folder in `runs/<run>/chunks/<chunk>/<attempt>/…`. */
function attemptOf(key: string): string {
  return key.split('/').slice(0, 5).join('/') + '/';
}
