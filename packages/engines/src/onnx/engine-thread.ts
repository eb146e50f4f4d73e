import { Worker } from 'node:worker_threads';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { Outputs, RunRequest, ThreadReply, ThreadRequest, ThreadSettings } from './session-thread.ts';

/** One thread with a network of its own, which runs one request at a time. */
export interface EngineThread extends AsyncDisposable {
  run(request: RunRequest): Promise<Outputs>;
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
  // A worker of node:worker_threads has no origin to name; the rule means browser windows.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  const send = (request: ThreadRequest) => worker.postMessage(request);

  return {
    run(request) {
      if (ended) return Promise.reject(ended);
      const id = counter++;
      const reply = Promise.withResolvers<Outputs>();
      waiting.set(id, reply);
      send({ id, run: request });
      return reply.promise;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) send({ close: true });
      await exited.promise;
    },
  };
}

function engineFailed(reason: string, cause?: unknown): FilterscopeError {
  return new FilterscopeError('engine-failed', `the engine failed: ${reason}`, { class: 'transient', cause });
}
