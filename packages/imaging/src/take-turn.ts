import { setImmediate } from 'node:timers/promises';

/** Longest that a piece of work keeps the event loop: several, and a collection of garbage, may still meet within 100 ms. */
const SLICE_MS = 10;

let last: Promise<void> = Promise.resolve();

/**
 * Waits for a turn of the event loop that no other caller has, in the order of asking: work that many images ask for at once
 * does not add up to one long pause.
 */
export function takeTurn(): Promise<void> {
  last = last.then(() => setImmediate());
  return last;
}

/** Takes a turn for long work. @returns to be awaited now and then: waits for another turn when this one has been long. */
export async function takeTurns(): Promise<() => Promise<void> | undefined> {
  await takeTurn();
  let began = performance.now();
  const nextTurn = async () => {
    await takeTurn();
    began = performance.now();
  };
  return () => (performance.now() - began < SLICE_MS ? undefined : nextTurn());
}
