import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectInfo, ObjectStore } from '@filterscope/storage/object-store';
import { readCommits } from './commit.ts';
import { readRunDocument } from './run-document.ts';
import {
  chunksFolder,
  drawnFolder,
  indexFolder,
  INDEX_TABLES,
  runFolder,
  RUNS,
  weightsKey,
} from './run-keys.ts';

/** Why an object is garbage. */
export type GarbageReason = 'uncommitted-attempt' | 'deleted-run' | 'unused-weights' | 'drawn-grid';

export interface Garbage {
  readonly key: string;
  readonly sizeBytes: number;
  readonly reason: GarbageReason;
}

/**
 * Objects that no run needs and that nobody has touched since `before`, so that work in progress is safe: attempts that
 * never got their commit, remains of deleted runs, weights of no run, grids drawn for a question.
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
