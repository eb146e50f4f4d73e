/**
 * `node test/support/stub-worker.ts SETTINGS`: a worker as `filterscope worker` starts it, with a stub in place of the network,
 * and ways to die. SETTINGS is JSON, see `StubWorkerSettings`. Logs on stderr, as a worker does.
 */
import { setTimeout } from 'node:timers/promises';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { openStore } from '@filterscope/storage/open-store';
import type { PreparedImage } from '@filterscope/vgg16/engine';
import { createLog } from '@filterscope/worker/log';
import { runWorker } from '@filterscope/worker/worker';
import { createStubEngine } from './stub-engine.ts';

export interface StubWorkerSettings {
  readonly redisUrl: string;
  /** S3 endpoint, if any. */
  readonly endpoint?: string;
  readonly lockMs: number;
  readonly graceMs: number;
  /** Images at a time. */
  readonly parallel: number;
  /** What an image takes in one unit of the engine, of which there are `parallel`. */
  readonly imageMs: number;
  /** Whether it serves its figures; the log says where. */
  readonly health?: boolean;
  /** The process is killed before (or, with `after`, once) this put of its own, counted from 0. */
  readonly dieAtPut?: { readonly put: number; readonly after: boolean };
  /** Where an image of nothing but this colour kills the process. */
  readonly poison?: readonly [red: number, green: number, blue: number];
  /** What computes cannot be had, as a GPU that is lost. */
  readonly lostEngine?: boolean;
}

const settings = JSON.parse(process.argv[2]) as StubWorkerSettings;
const { redisUrl, endpoint, lockMs, graceMs, parallel, imageMs, health = false, dieAtPut, poison } = settings;
const { lostEngine = false } = settings;
const stop = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort(new Error('told to stop'));
  });
}

const die = () => process.kill(process.pid, 'SIGKILL');
let puts = 0;
const mortal = (store: ObjectStore): ObjectStore => ({
  ...store,
  async put(key, bytes, options) {
    const mine = puts++ === dieAtPut?.put;
    if (mine && !dieAtPut.after) die();
    const stored = await store.put(key, bytes, options);
    if (mine) die();
    return stored;
  },
});
const isPoison = (image: PreparedImage) =>
  poison?.every((value, i) => image[i] === value && image.at(i - 3) === value);

/** When each unit of the engine has done what it was given. */
const freeAt = Array.from({ length: parallel }, () => 0);
const takeTime = async () => {
  const unit = freeAt.indexOf(Math.min(...freeAt));
  freeAt[unit] = Math.max(freeAt[unit], performance.now()) + imageMs;
  await setTimeout(freeAt[unit] - performance.now());
};

configureImaging();
await runWorker({
  redisUrl,
  allowedOutputs: null,
  openStore: async (url, access) =>
    mortal(await openStore(url, { ...(endpoint && { endpoint }), ...access })),
  async openEngine(_, layers) {
    if (lostEngine) throw new FilterscopeError('engine-unavailable', 'the stub is lost');
    return createStubEngine(layers, {
      parallel,
      async before(image) {
        if (isPoison(image)) die();
        await takeTime();
      },
    });
  },
  capacity: { parallel, batch: 1 },
  lockMs,
  graceMs,
  health: health ? { host: '127.0.0.1', port: 0, anyPort: false } : null,
  log: createLog('info'),
  signal: stop.signal,
});
