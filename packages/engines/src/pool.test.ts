import { describe, expect, test } from 'vitest';
import { createPool } from './pool.ts';

/** Work that ends when it is told to. */
function held(begun: string[], name: string) {
  const gate = Promise.withResolvers<string>();
  const work = () => {
    begun.push(name);
    return gate.promise;
  };
  return { work, end: () => gate.resolve(name), fail: gate.reject };
}

/** Lets everything that is ready go on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a pool', () => {
  test('begins as many calls as it has units, and the others in the order in which they came', async () => {
    const begun: string[] = [];
    const pool = createPool(['a', 'b']);
    const works = ['1', '2', '3', '4'].map((name) => held(begun, name));
    const results = Promise.all(works.map(({ work }) => pool.use(work)));
    await settled();
    expect(begun).toEqual(['1', '2']);
    works[1].end();
    await settled();
    expect(begun).toEqual(['1', '2', '3']);
    works[2].end();
    await settled();
    expect(begun).toEqual(['1', '2', '3', '4']);
    for (const { end } of works) end();
    expect(await results).toEqual(['1', '2', '3', '4']);
  });

  test('never lends a unit twice at a time', async () => {
    const pool = createPool([{ busy: 0 }, { busy: 0 }, { busy: 0 }]);
    const most = await Promise.all(
      Array.from({ length: 20 }, () =>
        pool.use(async (unit) => {
          const now = ++unit.busy;
          await settled();
          unit.busy--;
          return now;
        }),
      ),
    );
    expect(Math.max(...most)).toBe(1);
  });

  test('gives a unit back when its work fails', async () => {
    const pool = createPool(['only']);
    await expect(pool.use(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await pool.use((unit) => Promise.resolve(unit))).toBe('only');
  });

  test('is drained when no call runs or waits', async () => {
    const pool = createPool(['only']);
    await pool.drain();
    const [first, second] = [held([], '1'), held([], '2')];
    const calls = [pool.use(first.work), pool.use(second.work)];
    let drained = false;
    const drain = pool.drain().then(() => (drained = true));
    first.end();
    await settled();
    expect(drained).toBe(false);
    second.end();
    await Promise.all(calls);
    await drain;
    expect(drained).toBe(true);
  });
});
