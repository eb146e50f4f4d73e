import { expect, test } from 'vitest';
import { createIdleWatch } from './idle-watch.ts';

let at = 0;
const look = (
  watch: ReturnType<typeof createIdleWatch>,
  seconds: number,
  active: number,
  begun: number,
  waiting: number,
) => {
  at = seconds * 1000;
  return watch({ active, begun, waiting });
};
const newWatch = () => {
  at = 0;
  return createIdleWatch(90_000, () => at);
};

test('work waits, none is in hand and none is begun for the whole time: stuck', () => {
  const watch = newWatch();
  for (let seconds = 5; seconds < 90; seconds += 5) expect(look(watch, seconds, 0, 0, 7)).toBe(false);
  expect(look(watch, 90, 0, 0, 7)).toBe(true);
});

test.each([
  ['something is in hand', { active: 1, begun: 0, waiting: 7 }],
  ['nothing waits', { active: 0, begun: 0, waiting: 0 }],
  ['something was begun since, and done', { active: 0, begun: 1, waiting: 7 }],
])('one look at which %s, and the time begins anew', (_, { active, begun, waiting }) => {
  const watch = newWatch();
  expect(look(watch, 85, active, begun, waiting)).toBe(false);
  expect(look(watch, 174, 0, begun, 7)).toBe(false);
  expect(look(watch, 175, 0, begun, 7)).toBe(true);
});
