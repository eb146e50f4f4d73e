import { objectExists } from '@filterscope/storage/object-exists';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { failuresAdded, listCommits, readNamed, type Commit, type CommitName } from './commit.ts';
import { cropParts, openCropParts } from './crop-parts.ts';
import { readComplete } from './index-document.ts';
import { chunksNeeded, readPrecision, type PrecisionReached } from './precision.ts';
import { readRunDocument, type RunDocument } from './run-document.ts';
import { cancelledKey, completeKey, stoppedKey } from './run-keys.ts';

export type RunState = 'planning' | 'running' | 'complete' | 'cancelled' | 'failed';

/** How far a run is. */
export interface RunStatus {
  readonly run: string;
  readonly state: RunState;
  /** Rows of the manifest. */
  readonly images: number;
  readonly ok: number;
  readonly failed: number;
  readonly skipped: number;
  /** Of those that are ok: taken from earlier runs. */
  readonly reused: number;
  /** Images with the same bytes as an earlier one; null until the run is complete. */
  readonly duplicates: number | null;
  /** The row that the run stopped at, because its intervals were narrow enough; null while it goes on, and for one over all images. */
  readonly stoppedAt: number | null;
  /** Those that make up the results. */
  readonly chunks: number;
  readonly committed: number;
  /** Images computed a second in the last minute of work, all workers together; null before the first commit. */
  readonly imagesPerSecond: number | null;
  /** Null unless work is going on. */
  readonly etaSeconds: number | null;
  /** Engines that took part, for example `onnx-cpu 1.30.0`; null before the first commit. */
  readonly engine: string | null;
  readonly synthetic: boolean;
  /** Parts of the pictures that crops are cut out of; null before the run is complete, and for one that keeps none. */
  readonly crops: { readonly done: number; readonly total: number } | null;
}

/** A run whose last commit is older than this is taken to have nobody at work. */
const IDLE_AFTER_MS = 120_000;
const RATE_WINDOW_MS = 60_000;

export async function runState(output: ObjectStore, run: string, signal?: AbortSignal): Promise<RunState> {
  const marks = [
    [completeKey(run), 'complete'],
    [cancelledKey(run), 'cancelled'],
    [stoppedKey(run), 'failed'],
  ] as const;
  for (const [key, state] of marks) if (await objectExists(output, key, signal)) return state;
  return 'running';
}

/** A run's status, looked at again and again: each commit is read once. */
export interface StatusReader {
  read(now: Date, signal?: AbortSignal): Promise<RunStatus>;
}

const keyOf = ({ chunk, revision }: CommitName) => `${chunk}/${revision}`;

export function openRunStatus(output: ObjectStore, document: RunDocument): StatusReader {
  const { run } = document;
  const known = new Map<string, Commit>();
  return {
    async read(now, signal) {
      // The state first: a run that is complete has all its commits.
      const state = await runState(output, run, signal);
      const complete = state === 'complete' ? await readComplete(output, run, signal) : undefined;
      const reached = await readPrecision(document, output, signal);
      const names = await listCommits(output, run, signal);
      const news = names.filter((name) => !known.has(keyOf(name)));
      for await (const commit of readNamed(output, run, news, signal)) known.set(keyOf(commit), commit);
      const crops = state === 'complete' ? await readCrops(document, output, signal) : null;
      const duplicates = complete?.duplicates ?? null;
      return statusOf(document, state, [...known.values()], now, { crops, duplicates }, reached);
    },
  };
}

/** @throws FilterscopeError `unknown-run`. */
export async function readRunStatus(
  output: ObjectStore,
  run: string,
  now: Date = new Date(),
  signal?: AbortSignal,
): Promise<RunStatus> {
  return openRunStatus(output, await readRunDocument(output, run, signal)).read(now, signal);
}

async function readCrops(document: RunDocument, output: ObjectStore, signal?: AbortSignal) {
  const index = await readComplete(output, document.run, signal);
  if (!index) return null;
  const { count: total } = cropParts(document, index);
  const done = total - (await openCropParts(document, index, output, signal)).length;
  return document.crops === 'none' && done === 0 ? null : { done, total };
}

/** The status that commits add up to; those beyond the row that a run stopped at do not count. Pure. */
export function statusOf(
  document: RunDocument,
  state: RunState,
  commits: readonly Commit[],
  now: Date,
  { crops, duplicates }: Pick<RunStatus, 'crops' | 'duplicates'> = { crops: null, duplicates: null },
  reached?: PrecisionReached,
): RunStatus {
  const chunks = chunksNeeded(document, reached);
  const counted = commits.filter(({ chunk }) => chunk < chunks);
  const notLookedAt = reached ? document.manifest.rows - reached.row : 0;
  const first = counted.filter(({ revision }) => revision === 0);
  const sum = (count: (commit: Commit) => number) =>
    counted.reduce((total, commit) => total + count(commit), 0);
  const imagesPerSecond = rateOf(first, ({ rows, reused }) => rows - reused);
  // What is taken from earlier runs is spread over all chunks.
  const rowsPerSecond = rateOf(first, ({ rows }) => rows);
  const done = first.reduce((total, { rows }) => total + rows, notLookedAt);
  const newest = Math.max(...first.map(({ committedAt }) => Date.parse(committedAt)));
  const working = state === 'running' && now.getTime() - newest < IDLE_AFTER_MS;
  const engines = new Set(first.map(({ engine }) => `${engine.name} ${engine.version}`));
  return {
    run: document.run,
    state,
    images: document.manifest.rows,
    ok: sum(({ ok }) => ok),
    failed: sum(failuresAdded),
    skipped: sum(({ skipped }) => skipped) + notLookedAt,
    stoppedAt: reached?.row ?? null,
    reused: sum(({ reused }) => reused),
    duplicates,
    chunks,
    committed: first.length,
    imagesPerSecond,
    etaSeconds: working && rowsPerSecond ? (document.manifest.rows - done) / rowsPerSecond : null,
    engine: engines.size > 0 ? [...engines].toSorted().join(', ') : null,
    synthetic: document.weights.synthetic,
    crops,
  };
}

/** What is counted, a second, over the attempts that ended in the last minute before the newest commit. */
function rateOf(commits: readonly Commit[], count: (commit: Commit) => number): number | null {
  const spans = commits.map((commit) => {
    return { start: Date.parse(commit.startedAt), end: Date.parse(commit.committedAt), rows: count(commit) };
  });
  const newest = Math.max(...spans.map(({ end }) => end));
  const recent = spans.filter(({ end }) => end > newest - RATE_WINDOW_MS);
  const seconds = (newest - Math.min(...recent.map(({ start }) => start))) / 1000;
  return seconds > 0 ? recent.reduce((rows, span) => rows + span.rows, 0) / seconds : null;
}
