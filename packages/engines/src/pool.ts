/** A fixed set of units that calls take turns on, in the order in which they asked. */
export interface Pool<Unit> {
  /**
   * Runs `work` on the next free unit.
   * @throws the signal's reason when it is aborted before a unit is free; work that has begun is finished.
   */
  use<Result>(work: (unit: Unit) => Promise<Result>, signal?: AbortSignal): Promise<Result>;
  /** Resolves when no unit is busy and no call waits. */
  drain(): Promise<void>;
}

export function createPool<Unit>(units: readonly Unit[]): Pool<Unit> {
  const free = [...units];
  const queue: ((unit: Unit) => void)[] = [];
  const idle: (() => void)[] = [];

  const take = (signal?: AbortSignal): Promise<Unit> => {
    signal?.throwIfAborted();
    const unit = free.pop();
    if (unit !== undefined) return Promise.resolve(unit);
    return new Promise((resolve, reject) => {
      const waiter = (unit: Unit) => {
        signal?.removeEventListener('abort', onAbort);
        resolve(unit);
      };
      const onAbort = () => {
        queue.splice(queue.indexOf(waiter), 1);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      queue.push(waiter);
    });
  };
  const giveBack = (unit: Unit): void => {
    const next = queue.shift();
    if (next) return next(unit);
    free.push(unit);
    if (free.length === units.length) for (const resolve of idle.splice(0)) resolve();
  };

  return {
    async use(work, signal) {
      const unit = await take(signal);
      try {
        return await work(unit);
      } finally {
        giveBack(unit);
      }
    },
    drain: () =>
      free.length === units.length ? Promise.resolve() : new Promise((resolve) => idle.push(resolve)),
  };
}
