import { Redis, type RedisOptions } from 'ioredis';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/** Before every key of ours, BullMQ's included. The braces keep them in one slot of a Redis Cluster. */
export const PREFIX = '{filterscope}';
export const QUEUE = 'chunks';

export const RUNS_KEY = `${PREFIX}:runs`;
/** Jobs of a run that are not done yet, by `nameOf`. */
export const openKey = (run: string) => `${PREFIX}:open:${run}`;
export const journalKey = (job: string) => `${PREFIX}:journal:${job}`;
export const workerKey = (worker: string) => `${PREFIX}:worker:${worker}`;
export const WORKERS_KEY = `${PREFIX}:workers`;
export const RECONCILER_KEY = `${PREFIX}:reconciler`;

/** A connection that is silent for so long while an answer is due is taken to be dead: a network may swallow everything. */
const SILENCE_MS = 20_000;
const CONNECT_MS = 5_000;

/**
 * How a connection behaves while Redis is away:
 * - `patient`: waits for it, however long (workers);
 * - `prompt`: gives up after some seconds (commands that a person waits for);
 * - `hasty`: gives up at once (what must not hold up work).
 */
export type Manner = 'patient' | 'prompt' | 'hasty';

const MANNERS: Readonly<Record<Manner, Omit<RedisOptions, 'replyMapping'>>> = {
  patient: { maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(100 * 2 ** times, 5_000) },
  prompt: { maxRetriesPerRequest: 3, commandTimeout: 15_000, retryStrategy: (times) => 200 * times },
  hasty: {
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: 1_000,
    retryStrategy: (times) => Math.min(100 * 2 ** times, 5_000),
  },
};

/**
 * A connection to Redis, opened when it is first used.
 * @param url `redis://` or `rediss://` (TLS), checked by whoever read it
 * @param onError told of every lost connection; it is made again by itself
 */
export function connectRedis(url: string, manner: Manner, onError: (error: Error) => void): Redis {
  const redis = new Redis(url, {
    ...MANNERS[manner],
    lazyConnect: manner !== 'hasty',
    connectTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    keepAlive: 10_000,
  });
  redis.on('error', (error) => onError(withoutCommand(error)));
  return redis;
}

/** Takes the command off an error of ioredis, in place: that of a refused connection holds the password. */
export function withoutCommand<Thrown>(error: Thrown): Thrown {
  if (error instanceof Error) Reflect.deleteProperty(error, 'command');
  return error;
}

/** Errors of the connection, by name and by what ioredis says. */
const LOST =
  /^(MaxRetriesPerRequestError|AbortError)$|connection is closed|command timed out|econn|enotfound|etimedout|stream isn't writeable|socket/i;

/** What Redis answers while it can do nothing, or not write. */
const NOT_NOW = /^(LOADING|READONLY|MASTERDOWN|MISCONF|NOREPLICAS|CLUSTERDOWN|TRYAGAIN|BUSY) /;
const FULL = /OOM command not allowed/;

/** What Redis says for good, and what a server says that is none. */
const WRONG_DATABASE = /DB index is out of range/;
const REFUSED = new RegExp(`WRONGPASS|NOAUTH|NOPERM|${WRONG_DATABASE.source}`);
const NO_REDIS = /^Unknown RESP type|^Protocol error/i;

/**
 * What an error of Redis means to a person. Any other comes back as it is.
 * @param last the connection's last own error: that of a command says only how often it was tried
 */
export function redisError(error: unknown, url: string, last?: Error): unknown {
  if (!(error instanceof Error) || error instanceof FilterscopeError) return error;
  const given = error.name === 'MaxRetriesPerRequestError' ? last : undefined;
  const reason = given ? given.message || String(Reflect.get(given, 'code')) : error.message;
  const cause = withoutCommand(error);
  if (NO_REDIS.test(reason)) {
    const message = `what answers at ${place(url)} is not Redis; check REDIS_URL`;
    return new FilterscopeError('redis-refused', message, { cause });
  }
  if (REFUSED.test(reason)) {
    const message = `Redis at ${place(url)} refuses: ${reason}; check REDIS_URL`;
    return new FilterscopeError('redis-refused', message, { cause });
  }
  if (FULL.test(reason)) {
    const message = `Redis at ${place(url)} has no memory left (maxmemory); free some or raise it`;
    return new FilterscopeError('redis-full', message, { class: 'transient', cause });
  }
  if (NOT_NOW.test(reason)) {
    const message = `Redis at ${place(url)} cannot do it now (${reason}); try again later`;
    return new FilterscopeError('redis-unavailable', message, { class: 'transient', cause });
  }
  if (!isLost(error)) return error;
  const message = `Redis at ${place(url)} is out of reach (${reason}); set REDIS_URL, or start one with "docker compose up -d redis"`;
  return new FilterscopeError('redis-unavailable', message, { class: 'transient', cause });
}

/** Whether Redis has no database of the number that its URL names; ioredis then works in database 0. */
export function isWrongDatabase(error: Error): boolean {
  return WRONG_DATABASE.test(error.message);
}

/** Whether Redis, not the work, is what failed: it is short of memory, busy or away. */
export function isRedisTrouble(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof FilterscopeError) return false;
  if (error.name === 'ReplyError') return FULL.test(error.message) || NOT_NOW.test(error.message);
  return error.name === 'MaxRetriesPerRequestError' || error.message === 'Connection is closed.';
}

/** Node's own AbortError says that somebody wished it so. */
function isLost(error: Error): boolean {
  if (error instanceof DOMException || Reflect.get(error, 'code') === 'ABORT_ERR') return false;
  return LOST.test(error.name) || LOST.test(error.message);
}

/** Host and port: a URL may hold a password. */
function place(url: string): string {
  const { hostname, port } = new URL(url);
  return `${hostname}:${port || 6379}`;
}
