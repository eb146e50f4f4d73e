/** A fixed set of units that calls take turns on, in the order in which they asked. */
export interface Pool<Unit> {
  /** Runs `work` on the next free unit. */
  use<Result>(work: (unit: Unit) => Promise<Result>): Promise<Result>;
  /** Resolves when no unit is busy and no call waits. */
  drain(): Promise<void>;
}

export function createPool<Unit>(units: readonly Unit[]): Pool<Unit> {
  const free = [...units];
  const queue: ((unit: Unit) => void)[] = [];
  const idle: (() => void)[] = [];

  const take = (): Promise<Unit> => {
    const unit = free.pop();
    return unit === undefined ? new Promise((resolve) => queue.push(resolve)) : Promise.resolve(unit);
  };
  const giveBack = (unit: Unit): void => {
    const next = queue.shift();
    if (next) return next(unit);
    free.push(unit);
    if (free.length === units.length) for (const resolve of idle.splice(0)) resolve();
  };

  return {
    async use(work) {
      const unit = await take();
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
