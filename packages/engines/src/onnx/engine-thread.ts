import { Worker } from 'node:worker_threads';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Outputs, ThreadReply, ThreadRequest, ThreadSettings, ThreadTask } from './session-thread.ts';

/** One thread that holds a network and carries out one task at a time. */
export interface EngineThread extends AsyncDisposable {
  /** @throws FilterscopeError `engine-failed` */
  carryOut(task: ThreadTask): Promise<Outputs>;
}

export function startEngineThread(settings: ThreadSettings): EngineThread {
  const worker = new Worker(new URL('./session-thread.ts', import.meta.url), { workerData: settings });
  const waiting = new Map<number, PromiseWithResolvers<Outputs>>();
  const exited = Promise.withResolvers<void>();
  let counter = 0;
  let ended: FilterscopeError | undefined;

  const end = (error: FilterscopeError) => {
    ended ??= error;
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  };
  worker.on('message', (reply: ThreadReply) => {
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('error' in reply) call?.reject(engineFailed(reply.error));
    else call?.resolve(reply.outputs);
  });
  worker.on('error', (error) => end(engineFailed(String(error), error)));
  worker.on('exit', (code) => {
    end(engineFailed(`its thread ended with code ${code}`));
    exited.resolve();
  });

  const carryOut = (task: ThreadTask): Promise<Outputs> => {
    if (ended) return Promise.reject(ended);
    const id = counter++;
    const reply = Promise.withResolvers<Outputs>();
    waiting.set(id, reply);
    const request: ThreadRequest = { id, task };
    // A worker of node:worker_threads has no origin to name; the rule means browser windows.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin
    worker.postMessage(request);
    return reply.promise;
  };

  return {
    carryOut,
    async [Symbol.asyncDispose]() {
      await carryOut({ kind: 'close' }).catch(() => undefined);
      await exited.promise;
    },
  };
}

function engineFailed(reason: string, cause?: unknown): FilterscopeError {
  return new FilterscopeError('engine-failed', `the engine failed: ${reason}`, { class: 'transient', cause });
}
