import { expect, test } from 'vitest';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { redisError, withoutCommand } from './redis.ts';

const SECRET = 'dr0ws5aP';
const URL_WITH_SECRET = `redis://someone:${SECRET}@queue.example:6390/2`;

/** As ioredis gives them. */
function ioredis(name: string, message: string): Error {
  const command = { name: 'hello', args: ['3', 'AUTH', 'someone', SECRET] };
  return Object.assign(new Error(message), { name, command });
}

/** All that a log or a terminal might show of an error. */
function shown(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const fields = JSON.stringify(error, Object.getOwnPropertyNames(error));
  return [fields, JSON.stringify(error), error.stack, shown(error.cause)].join('\n');
}

test.each([
  [
    'ReplyError',
    'WRONGPASS invalid username-password pair or user is disabled.',
    'redis-refused',
    'permanent',
  ],
  ['ReplyError', 'NOAUTH Authentication required.', 'redis-refused', 'permanent'],
  [
    'ReplyError',
    "NOPERM this user has no permissions to run the 'info' command",
    'redis-refused',
    'permanent',
  ],
  ['ReplyError', 'ERR DB index is out of range', 'redis-refused', 'permanent'],
  ['Error', 'Unknown RESP type 72 "H". Please report this.', 'redis-refused', 'permanent'],
  ['ReplyError', "OOM command not allowed when used memory > 'maxmemory'.", 'redis-full', 'transient'],
  ['ReplyError', 'READONLY You can’t write against a read only replica.', 'redis-unavailable', 'transient'],
  ['ReplyError', 'MISCONF Errors writing to the AOF file', 'redis-unavailable', 'transient'],
  ['MaxRetriesPerRequestError', 'Reached the max retries per request', 'redis-unavailable', 'transient'],
  ['AbortError', 'Command aborted due to connection close', 'redis-unavailable', 'transient'],
  ['Error', 'connect ECONNREFUSED 127.0.0.1:6390', 'redis-unavailable', 'transient'],
  ['Error', 'getaddrinfo ENOTFOUND queue.example', 'redis-unavailable', 'transient'],
  ['Error', 'connect ETIMEDOUT', 'redis-unavailable', 'transient'],
  ['Error', 'Connection is closed.', 'redis-unavailable', 'transient'],
  ['Error', 'Command timed out', 'redis-unavailable', 'transient'],
])('%s: %s is %s', (name, message, code, cls) => {
  const error = redisError(ioredis(name, message), URL_WITH_SECRET) as FilterscopeError;
  expect(error).toBeInstanceOf(FilterscopeError);
  expect([error.code, error.class]).toEqual([code, cls]);
  expect(error.message).toContain('queue.example:6390');
  expect(shown(error)).not.toContain(SECRET);
});

test('a command that gave up says why the connection did not come about', () => {
  const gaveUp = ioredis('MaxRetriesPerRequestError', 'Reached the max retries per request limit');
  const reasonOf = (last: Error) => (redisError(gaveUp, URL_WITH_SECRET, last) as FilterscopeError).message;
  expect(reasonOf(new Error('getaddrinfo ENOTFOUND queue.example'))).toContain('(getaddrinfo ENOTFOUND');
  // As Node has it for a name with several addresses.
  const several = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
  expect(reasonOf(several)).toContain('(ECONNREFUSED)');
  expect(redisError(gaveUp, URL_WITH_SECRET, ioredis('ReplyError', 'WRONGPASS no'))).toMatchObject({
    code: 'redis-refused',
  });
});

test('the usual port is said too', () => {
  const error = redisError(new Error('Connection is closed.'), 'redis://localhost') as FilterscopeError;
  expect(error.message).toContain('localhost:6379');
});

test.each([
  new Error('bad luck'),
  new TypeError('undefined is not a function'),
  new FilterscopeError('store-unavailable', 'connect ECONNREFUSED'),
  new DOMException('The operation was aborted', 'TimeoutError'),
  'text',
  undefined,
])('another error stays as it is: %s', (error) => {
  expect(redisError(error, URL_WITH_SECRET)).toBe(error);
});

test('whoever wished to stop is not told that Redis is away', () => {
  const stopped = AbortSignal.abort().reason as Error;
  const byNode = Object.assign(new Error('The operation was aborted'), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });
  expect(redisError(byNode, URL_WITH_SECRET)).toBe(byNode);
  expect(redisError(stopped, URL_WITH_SECRET)).toBe(stopped);
});

test('what ioredis adds to an error does not reach a log', () => {
  const error = ioredis('ReplyError', 'WRONGPASS invalid username-password pair');
  expect(shown(error)).toContain(SECRET);
  expect(withoutCommand(error)).toBe(error);
  expect(shown(error)).not.toContain(SECRET);
});
