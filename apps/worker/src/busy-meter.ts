import type { Engine } from '@filterscope/vgg16/engine';

/** Measures how much of an engine's time is in use. */
export interface BusyMeter {
  /** The same engine, watched. */
  readonly watch: (engine: Engine) => Engine;
  /** Seconds of one unit's work so far, over all watched engines. */
  readonly seconds: () => number;
}

/** @param parallel units that can be busy at a time; calls beyond them wait and do not count */
export function createBusyMeter(parallel: number, now: () => number = () => performance.now()): BusyMeter {
  let calls = 0;
  let busyMs = 0;
  let since = now();
  const account = () => {
    const at = now();
    busyMs += Math.min(calls, parallel) * (at - since);
    since = at;
  };
  return {
    watch: (engine) => ({
      ...engine,
      async infer(images, request, signal) {
        account();
        calls += 1;
        try {
          return await engine.infer(images, request, signal);
        } finally {
          account();
          calls -= 1;
        }
      },
    }),
    seconds() {
      account();
      return busyMs / 1000;
    },
  };
}
