import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Handlers } from '@filterscope/queue/consumer';
import type { ChunkJob, CropsJob, RunPlace } from '@filterscope/queue/job';
import { carryOutChunk, firstPass, type Pass } from '@filterscope/runs/carry-out-chunk';
import { chunkStanding, requireGoingOn } from '@filterscope/runs/chunk-standing';
import type { Commit } from '@filterscope/runs/commit';
import { completeRun } from '@filterscope/runs/complete-run';
import { enforceFailureLimit } from '@filterscope/runs/failure-limit';
import type { ImageRow } from '@filterscope/runs/image-row';
import { cropParts, cropRows, openCropParts, type CropPart } from '@filterscope/runs/crop-parts';
import { readComplete, type IndexDocument } from '@filterscope/runs/index-document';
import { makeCropPart } from '@filterscope/runs/make-crops';
import { openChunks } from '@filterscope/runs/open-chunks';
import { chunksNeeded } from '@filterscope/runs/precision';
import { retryPass } from '@filterscope/runs/retry-pass';
import { chunkCount, type RunDocument } from '@filterscope/runs/run-document';
import { cropPartKey } from '@filterscope/runs/run-keys';
import { objectExists } from '@filterscope/storage/object-exists';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Workplace } from '@filterscope/runs/workplace';
import { requireAllowed } from './allowed-outputs.ts';
import type { EngineShelf } from './engine-shelf.ts';
import type { ChunkOutcome } from './metrics.ts';
import type { OpenedRun, OpenedRuns } from './opened-runs.ts';

export interface HandlerOptions {
  readonly runs: OpenedRuns;
  readonly engines: EngineShelf;
  readonly workplace: Workplace;
  /** Null for all. */
  readonly allowedOutputs: readonly string[] | null;
  readonly onImage: (row: ImageRow, reused: boolean) => void;
  readonly onChunk: (place: RunPlace, job: ChunkJob, outcome: ChunkOutcome, commit?: Commit) => void;
  /** @param done undefined where there was nothing to do */
  readonly onCrops: (place: RunPlace, job: CropsJob, done: CropPart | undefined) => void;
  readonly onComplete: (place: RunPlace, index: IndexDocument) => void;
}

/** What a worker does with jobs: the same code as `analyze`, with the store asked first what is left to do. */
export function createHandlers(options: HandlerOptions): Handlers {
  const { runs, engines, workplace, allowedOutputs, onImage, onChunk, onCrops, onComplete } = options;
  const rowsOf = rememberedRows();

  const open = (place: RunPlace, signal: AbortSignal): Promise<OpenedRun> => {
    requireAllowed(place.output, allowedOutputs);
    return runs.open(place, signal);
  };

  return {
    async chunk(place, job, { journal, signal }) {
      const run = await open(place, signal);
      const { document, output } = run;
      if (job.chunk >= chunkCount(document)) {
        throw new FilterscopeError('bad-job', `run ${place.run} has no chunk ${job.chunk}`);
      }
      const reached = await run.precision.look(signal);
      if (job.chunk >= chunksNeeded(document, reached)) return onChunk(place, job, 'not-needed');
      const standing = await chunkStanding(output, place.run, job.chunk, job.revision, signal);
      if (standing === 'committed') return onChunk(place, job, 'already-committed');
      const pass = await passOf(run, job, signal);
      if (pass.rows.length === 0) return onChunk(place, job, 'already-committed');
      const commit = await engines.use(
        document,
        output,
        (engine) => carryOutChunk({ ...run, engine, workplace, journal, onImage, signal }, job.chunk, pass),
        signal,
      );
      onChunk(place, job, commit ? 'committed' : 'second', commit);
      // A retry adds no failures: what it redoes had failed.
      if (commit && commit.failed > 0 && commit.revision === 0) await enforceFailureLimit(run, signal);
      return !reached && (await run.precision.look(signal)) ? 'may-complete' : undefined;
    },

    async crops(place, job, { journal, signal }) {
      const run = await open(place, signal);
      const { document, output } = run;
      const index = await readComplete(output, place.run, signal);
      // A retry's completion has parts of its own.
      if (index?.generation !== job.generation) return onCrops(place, job, undefined);
      if (job.part >= cropParts(document, index).count) {
        throw new FilterscopeError('bad-job', `run ${place.run} has no part ${job.part} of crops`);
      }
      if (await objectExists(output, cropPartKey(place.run, job.generation, job.part), signal)) {
        return onCrops(place, job, undefined);
      }
      const rows = await rowsOf(run, index, signal);
      onCrops(place, job, await makeCropPart({ ...run, index, rows, workplace, journal, signal }, job.part));
    },

    async complete(place, signal) {
      const run = await open(place, signal);
      const { document, output } = run;
      // Whoever had the last commit may have died before it looked at the limit.
      await enforceFailureLimit(run, signal);
      const index = await completeRun(document, output, signal, run.precision);
      if (index) {
        onComplete(place, index);
        return document.crops === 'all' ? await openCrops(document, index, output, signal) : [];
      }
      await requireGoingOn(output, place.run, signal);
      const left = await openChunks(document, output, await run.precision.look(signal), signal);
      return left.map((chunk): ChunkJob => ({ chunk, revision: 0, codes: null }));
    },
  };
}

/** The parts of a complete run's crops that are not made. */
async function openCrops(
  document: RunDocument,
  index: IndexDocument,
  output: ObjectStore,
  signal: AbortSignal,
): Promise<CropsJob[]> {
  const { generation } = index;
  return (await openCropParts(document, index, output, signal)).map((part) => ({ generation, part }));
}

/** Top lists take a megabyte to read, and a run's parts are done one after the other: those of the last run stay at hand. */
function rememberedRows() {
  let known: { key: string; rows: Promise<number[]> } | undefined;
  return ({ document, output }: OpenedRun, index: IndexDocument, signal: AbortSignal): Promise<number[]> => {
    const key = `${output.url}/${index.merged}`;
    if (known?.key !== key) {
      const rows = cropRows(document, index, output, signal);
      rows.catch(() => (known = undefined));
      known = { key, rows };
    }
    return known.rows;
  };
}

function passOf({ document, output }: OpenedRun, job: ChunkJob, signal: AbortSignal): Promise<Pass> | Pass {
  const { chunk, revision, codes } = job;
  if (revision === 0) return firstPass(document, chunk);
  return retryPass(output, document.run, chunk, revision, codes, signal);
}
