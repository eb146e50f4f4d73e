import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { createLog } from '@filterscope/worker/log';
import { runWorker } from '@filterscope/worker/worker';
import type { Context } from '../context.ts';
import { engineCapacity, openEngine, tryEngine, type EngineChoice } from '../open-engine.ts';
import { openStoreHere } from '../open-output.ts';

export interface WorkerCommandOptions extends EngineChoice {
  readonly grace: number;
  readonly healthHost?: string;
  readonly healthPort?: number;
}

const HEALTH_PORT = 9464;
const LEAVE_MS = 2_000;

/** `filterscope worker`: carries out chunks until told to stop. */
export async function worker(context: Context, options: WorkerCommandOptions): Promise<void> {
  const { terminal, environment, signal } = context;
  configureImaging();
  // A worker that finds out with its first job that it cannot compute would spoil that.
  await tryEngine(options, signal);
  const port = options.healthPort ?? environment.healthPort;
  // A connection that looks for a Redis that is away keeps nobody waiting.
  using leave = new DisposableStack();
  leave.defer(() => setTimeout(() => process.exit(), LEAVE_MS).unref());
  await runWorker({
    redisUrl: environment.redisUrl,
    allowedOutputs: environment.allowedOutputs,
    openStore: (url, access) => openStoreHere(context, url, access),
    openEngine: (weights, layers) => openEngine(weights, layers, options),
    capacity: engineCapacity(options),
    lockMs: environment.lockMs,
    graceMs: options.grace,
    health:
      port === 0
        ? null
        : {
            host: options.healthHost ?? environment.healthHost,
            port: port ?? HEALTH_PORT,
            anyPort: port === undefined,
          },
    log: terminal.log ?? createLog('info'),
    signal,
  });
}
