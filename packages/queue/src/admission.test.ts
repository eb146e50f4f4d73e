import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMemory, reasonToWait } from './admission.ts';

const GB = 2 ** 30;

test('memory as Redis tells it', () => {
  const info = [
    '# Memory',
    'used_memory:1048576',
    'used_memory_human:1.00M',
    'used_memory_rss:9',
    'maxmemory:2097152',
    'maxmemory_human:2.00M',
    'maxmemory_policy:noeviction',
  ].join('\r\n');
  expect(parseMemory(info)).toEqual({ usedBytes: 1048576, maxBytes: 2097152 });
  expect(parseMemory('')).toEqual({ usedBytes: 0, maxBytes: 0 });
});

test.each([
  ['nothing waits', { usedBytes: 1, maxBytes: 0, backlog: 0 }, undefined],
  ['Redis has no limit', { usedBytes: 900 * GB, maxBytes: 0, backlog: 9 }, undefined],
  ['memory at the limit', { usedBytes: 7 * GB, maxBytes: 10 * GB, backlog: 0 }, undefined],
  [
    'memory above it',
    { usedBytes: 8 * GB, maxBytes: 10 * GB, backlog: 0 },
    'Redis has 80 % of its memory in use (work is added below 70 %)',
  ],
  ['room for one more job', { usedBytes: 1, maxBytes: 0, backlog: 99 }, undefined],
  ['no room', { usedBytes: 1, maxBytes: 0, backlog: 100 }, '100 jobs wait already (the limit is 100)'],
  [
    'both: memory is the worse',
    { usedBytes: 10 * GB, maxBytes: 10 * GB, backlog: 200 },
    'Redis has 100 % of its memory in use (work is added below 70 %)',
  ],
])('%s', (_, load, reason) => {
  expect(reasonToWait(load, 100)).toBe(reason);
});

test('whoever waits is let in once there is less of everything', () => {
  const load = fc.record({
    usedBytes: fc.nat(),
    maxBytes: fc.nat(),
    backlog: fc.nat({ max: 200 }),
  });
  fc.assert(
    fc.property(load, (load) => {
      expect(reasonToWait({ ...load, usedBytes: 0, backlog: 0 }, 100)).toBeUndefined();
      const less = { ...load, backlog: Math.max(0, load.backlog - 1) };
      if (reasonToWait(load, 100) === undefined) expect(reasonToWait(less, 100)).toBeUndefined();
    }),
  );
});
