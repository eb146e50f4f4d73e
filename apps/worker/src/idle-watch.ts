/** What a worker looks like at a moment. */
export interface WorkerLook {
  readonly active: number;
  /** Jobs begun so far. */
  readonly begun: number;
  /** Jobs that wait for a worker. */
  readonly waiting: number;
}

/**
 * Tells a worker that gets no work though work waits: its connection may look well and be dead.
 * @returns a function to be given a look now and then, which says whether nothing has been begun and something has waited at
 * each look for `patienceMs`
 */
export function createIdleWatch(
  patienceMs: number,
  now: () => number = () => performance.now(),
): (look: WorkerLook) => boolean {
  let since = now();
  let begunBefore = 0;
  return ({ active, begun, waiting }) => {
    if (active > 0 || waiting === 0 || begun > begunBefore) since = now();
    begunBefore = begun;
    return now() - since >= patienceMs;
  };
}
