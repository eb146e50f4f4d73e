import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { takeTurn, takeTurns } from './take-turn.ts';

test('each caller has a turn of the event loop to itself, in the order of asking', async () => {
  const events: string[] = [];
  const turns = ['a', 'b', 'c'].map((name) => takeTurn().then(() => events.push(name)));
  const loop = async () => {
    while (events.filter((event) => event !== 'turn').length < 3) {
      await setImmediate();
      events.push('turn');
    }
  };
  await Promise.all([...turns, loop()]);
  expect(events.filter((event) => event !== 'turn')).toEqual(['a', 'b', 'c']);
  for (const [before, after] of ['ab', 'bc']) {
    expect(events.slice(events.indexOf(before), events.indexOf(after))).toContain('turn');
  }
});

test('work goes on within its turn until that has been long', async () => {
  const pause = await takeTurns();
  let turned = false;
  void setImmediate().then(() => (turned = true));
  expect(pause()).toBeUndefined();
  const began = performance.now();
  let waited: Promise<void> | undefined;
  while (!waited && performance.now() - began < 1000) waited = pause();
  expect(performance.now() - began).toBeLessThan(1000);
  expect(turned).toBe(false);
  await waited;
  expect(turned).toBe(true);
});
