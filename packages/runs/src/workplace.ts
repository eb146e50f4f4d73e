import { availableParallelism } from 'node:os';
import { Semaphore } from 'async-mutex';
import type { Engine } from '@filterscope/vgg16/engine';

/** Room for images in one process, shared by all its chunks: bounds its memory and keeps its engine busy. */
export interface Workplace {
  /** Fetches a file ahead of its turn. What it gives is held until `release` is called, which whoever awaits it must do. */
  fetchAhead<Result>(
    sizeBytes: number,
    fetch: () => Promise<Result>,
  ): Promise<{ result: Result; release: () => void }>;
  /** Waits for a place among the images in hand. Places are given in the order in which they were asked for. */
  inHand<Result>(work: () => Promise<Result>): Promise<Result>;
  /** The same with no other image in hand, in the whole process. */
  alone<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** Images in hand beyond those in the engine: being decoded or encoded. A GPU leaves all cores to that. */
const imagesAhead = (batch: number) => (batch === 1 ? 3 : Math.max(3, availableParallelism()));
/** Files fetched ahead: enough to hide 100 ms of S3 from an engine of 150 images a second, or from a GPU of 600. */
const filesAhead = (batch: number) => (batch === 1 ? 16 : 64);
const MEGABYTES_AHEAD = 64;
const MEGABYTE = 1024 * 1024;

export function createWorkplace({ parallel, batch }: Pick<Engine, 'parallel' | 'batch'>): Workplace {
  const places = parallel * batch + imagesAhead(batch);
  const images = new Semaphore(places);
  const ahead = new Semaphore(MEGABYTES_AHEAD); // not bytes: the semaphore counts through its units one by one
  return {
    async fetchAhead(sizeBytes, fetch) {
      const least = MEGABYTES_AHEAD / filesAhead(batch);
      const weight = Math.min(Math.max(Math.ceil(sizeBytes / MEGABYTE), least), MEGABYTES_AHEAD);
      const [, release] = await ahead.acquire(weight);
      try {
        return { result: await fetch(), release };
      } catch (error) {
        release();
        throw error;
      }
    },
    inHand: (work) => images.runExclusive(work),
    alone: (work) => images.runExclusive(work, places),
  };
}
