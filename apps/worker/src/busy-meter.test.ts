import { expect, test } from 'vitest';
import type { Engine } from '@filterscope/vgg16/engine';
import { createBusyMeter } from './busy-meter.ts';

/** An engine whose calls end when they are told to. */
function engineOf(ends: (() => void)[]): Engine {
  return {
    identity: { name: 'any', version: '1', processor: 'none' },
    parallel: 2,
    batch: 1,
    infer: () => new Promise((resolve) => ends.push(() => resolve([]))),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

test('counts each unit while it is in use; calls that wait for one do not count', async () => {
  let at = 0;
  const ends: (() => void)[] = [];
  const meter = createBusyMeter(2, () => at);
  const engine = meter.watch(engineOf(ends));
  at = 1_000;
  expect(meter.seconds()).toBe(0);
  const calls = [engine.infer([], {}), engine.infer([], {}), engine.infer([], {})];
  at = 2_000;
  expect(meter.seconds()).toBe(2); // three calls on two units
  for (const end of ends.slice(0, 2)) end();
  await Promise.all(calls.slice(0, 2));
  at = 5_000;
  expect(meter.seconds()).toBe(2 + 3);
  ends[2]();
  await calls[2];
  at = 9_000;
  expect(meter.seconds()).toBe(5);
});

test('a call that fails is over', async () => {
  let at = 0;
  const meter = createBusyMeter(1, () => at);
  const engine = meter.watch({ ...engineOf([]), infer: () => Promise.reject(new Error('no')) });
  await expect(engine.infer([], {})).rejects.toThrow('no');
  at = 1_000;
  expect(meter.seconds()).toBe(0);
});
