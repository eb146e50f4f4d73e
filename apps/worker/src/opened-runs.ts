import type { RunPlace } from '@filterscope/queue/job';
import { countFailures, type FailureCount } from '@filterscope/runs/failure-limit';
import { openManifest, type ManifestReader } from '@filterscope/runs/manifest';
import { watchPrecision, type PrecisionWatch } from '@filterscope/runs/precision';
import { datasetAccess, readRunDocument, type RunDocument } from '@filterscope/runs/run-document';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { StoreAccess } from '@filterscope/storage/store-access';

export type OpenStore = (url: string, access: StoreAccess) => Promise<ObjectStore>;

export interface OpenedRun {
  readonly document: RunDocument;
  readonly output: ObjectStore;
  readonly dataset: ObjectStore;
  readonly manifest: ManifestReader;
  readonly failures: FailureCount;
  readonly precision: PrecisionWatch;
}

/** What is read of a run once. */
type Read = Pick<OpenedRun, 'manifest' | 'failures' | 'precision'>;

/** The runs that a worker has to do with. */
export interface OpenedRuns extends AsyncDisposable {
  /**
   * A run as it is now, its stores opened as its producer said.
   * @throws FilterscopeError `unknown-run`, and the store's.
   */
  open(place: RunPlace, signal: AbortSignal): Promise<OpenedRun>;
}

/** Runs whose manifest and commits stay at hand, the least recently used first to go. */
const ROOM = 16;

export function createOpenedRuns(openStore: OpenStore): OpenedRuns {
  const stores = new Map<string, Promise<ObjectStore>>();
  const read = new Map<string, Read>();

  const storeAt = (url: string, access: StoreAccess): Promise<ObjectStore> => {
    const key = JSON.stringify([url, access]);
    const store = stores.get(key) ?? openStore(url, access);
    store.catch(() => stores.delete(key));
    stores.delete(key);
    stores.set(key, store);
    return store;
  };
  /** The same bytes of `run.json` mean the same manifest; a run that was deleted and made again has others. */
  const readOf = (document: RunDocument, output: ObjectStore): Read => {
    const { run, createdAt } = document;
    const key = [output.url, run, createdAt].join('\n');
    const known = read.get(key) ?? {
      manifest: openManifest(output, run),
      failures: countFailures(output, run),
      precision: watchPrecision(document, output),
    };
    read.delete(key);
    read.set(key, known);
    if (read.size > ROOM) read.delete(read.keys().next().value!);
    return known;
  };

  return {
    async open({ output: url, run }, signal) {
      const document = await readRunDocument(await storeAt(url, {}), run, signal);
      const { kmsKeyId } = document.access;
      const output = await storeAt(url, kmsKeyId === null ? {} : { kmsKeyId });
      const dataset = await storeAt(document.dataset, datasetAccess(document.access));
      return { document, output, dataset, ...readOf(document, output) };
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores.values()) {
        await store.then((store) => store[Symbol.asyncDispose]()).catch(() => undefined);
      }
    },
  };
}
