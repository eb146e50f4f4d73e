import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseEnvironment } from './environment.ts';

const cacheOf = (variables: NodeJS.ProcessEnv, platform: NodeJS.Platform) =>
  parseEnvironment(variables, platform).cacheDirectory;

test('weights are kept where each system keeps what can be had again', () => {
  expect(cacheOf({}, 'linux')).toBe(join(homedir(), '.cache', 'filterscope'));
  expect(cacheOf({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'filterscope'));
  expect(cacheOf({}, 'darwin')).toBe(join(homedir(), 'Library', 'Caches', 'filterscope'));
  expect(cacheOf({ LOCALAPPDATA: '/local' }, 'win32')).toBe(join('/local', 'filterscope'));
  expect(cacheOf({ FILTERSCOPE_CACHE: '/mine', XDG_CACHE_HOME: '/x' }, 'linux')).toBe('/mine');
});

test('all that is wrong is said at once', () => {
  const variables = { REDIS_URL: 'localhost:6379', FILTERSCOPE_WEIGHTS_URL: 'ftp://weights' };
  expect(() => parseEnvironment(variables, 'linux')).toThrow(/FILTERSCOPE_WEIGHTS_URL.*REDIS_URL/);
  const { weightsUrl } = parseEnvironment({ FILTERSCOPE_WEIGHTS_URL: 'http://localhost:1/w.h5' }, 'linux');
  expect(weightsUrl).toBe('http://localhost:1/w.h5');
});

test.each([
  'localhost:6379',
  'http://host',
  'redis://',
  'redis:///2',
  'redis://host/abc',
  'redis://host/1/2',
])('%s is no Redis', (REDIS_URL) => {
  expect(() => parseEnvironment({ REDIS_URL }, 'linux')).toThrow(/REDIS_URL: not /);
});

test.each(['redis://host', 'redis://host/', 'rediss://user:p%40ss@host:1/2', 'redis://[::1]:6379'])(
  '%s is a Redis',
  (REDIS_URL) => {
    expect(parseEnvironment({ REDIS_URL }, 'linux').redisUrl).toBe(REDIS_URL);
  },
);

test('an empty variable is one that is not set', () => {
  const names = [
    'REDIS_URL',
    'FILTERSCOPE_CACHE',
    'FILTERSCOPE_HEALTH_PORT',
    'FILTERSCOPE_LOCK_SECONDS',
    'LOG_LEVEL',
  ];
  const empty = Object.fromEntries(names.map((name) => [name, '']));
  expect(parseEnvironment(empty, 'linux')).toEqual(parseEnvironment({}, 'linux'));
});

const allowed = (FILTERSCOPE_OUTPUTS?: string) =>
  parseEnvironment({ FILTERSCOPE_OUTPUTS }, 'linux').allowedOutputs;

test('outputs that a worker may touch: all, or those of the list; a list of none is a mistake', () => {
  expect(allowed()).toBeNull();
  expect(allowed('s3://a/b, /data')).toEqual(['s3://a/b', '/data']);
  for (const none of ['', ' ', ','])
    expect(() => allowed(none)).toThrow(/FILTERSCOPE_OUTPUTS: names no output/);
});

test('a log is asked for by its level', () => {
  expect(parseEnvironment({ LOG_LEVEL: 'debug' }, 'linux').logLevel).toBe('debug');
  expect(() => parseEnvironment({ LOG_LEVEL: 'loud' }, 'linux')).toThrow(/LOG_LEVEL/);
});

const endpointOf = (variables: NodeJS.ProcessEnv) => parseEnvironment(variables, 'linux').s3Endpoint;

test('an S3-compatible server is named for S3 alone, or for all of AWS', () => {
  expect(endpointOf({})).toBeUndefined();
  expect(endpointOf({ AWS_ENDPOINT_URL: 'http://all:1' })).toBe('http://all:1');
  expect(endpointOf({ AWS_ENDPOINT_URL: 'http://all:1', AWS_ENDPOINT_URL_S3: 'http://s3:1' })).toBe(
    'http://s3:1',
  );
  expect(() => endpointOf({ AWS_ENDPOINT_URL_S3: 'ftp://s3' })).toThrow(/AWS_ENDPOINT_URL_S3/);
});
