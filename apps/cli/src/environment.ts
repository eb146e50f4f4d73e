import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

const schema = z.object({
  FILTERSCOPE_CACHE: z.string().min(1).optional(),
  FILTERSCOPE_WEIGHTS_URL: z.url({ protocol: /^https?$/ }).optional(),
  AWS_ENDPOINT_URL_S3: z.url({ protocol: /^https?$/ }).optional(),
  AWS_ENDPOINT_URL: z.url({ protocol: /^https?$/ }).optional(),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'not a redis:// or rediss:// URL' })
    .refine(namesRedis, 'not redis://host:port, with the number of a database after it at most')
    .default('redis://127.0.0.1:6379'),
  FILTERSCOPE_OUTPUTS: z
    .string()
    .optional()
    .transform((text) =>
      text
        ?.split(',')
        .map((url) => url.trim())
        .filter(Boolean),
    )
    .refine((urls) => urls?.length !== 0, 'names no output; leave it out to allow all'),
  FILTERSCOPE_MAX_BACKLOG: z.coerce.number().int().positive().default(100_000),
  FILTERSCOPE_LOCK_SECONDS: z.coerce.number().min(1).max(3600).default(30),
  FILTERSCOPE_HEALTH_HOST: z.string().min(1).default('127.0.0.1'),
  FILTERSCOPE_HEALTH_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).optional(),
  XDG_CACHE_HOME: z.string().min(1).optional(),
  LOCALAPPDATA: z.string().min(1).optional(),
});

/** The client would take anything else for this machine, or for database 0. */
function namesRedis(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && url.hostname !== '' && /^(?:\/\d*)?$/.test(url.pathname);
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

/** What the command takes from its environment; nothing else reads it. */
export interface Environment {
  /** Folder that downloaded weights and tables are kept in. */
  readonly cacheDirectory: string;
  /** Where the ImageNet weights come from, if not from their official address. */
  readonly weightsUrl?: string;
  /** An S3-compatible server to use in place of AWS. */
  readonly s3Endpoint?: string;
  readonly redisUrl: string;
  /** Whether somebody said where Redis is. */
  readonly redisGiven: boolean;
  /** Outputs that a worker may touch; null for all. */
  readonly allowedOutputs: readonly string[] | null;
  /** Jobs that may wait before producers wait. */
  readonly maxBacklog: number;
  /** A job whose worker was not heard of for so long goes to another. */
  readonly lockMs: number;
  readonly healthHost: string;
  readonly healthPort?: number;
  readonly logLevel?: LogLevel;
}

/** @throws FilterscopeError `bad-environment` naming every variable that is wrong. */
export function parseEnvironment(variables: NodeJS.ProcessEnv, platform: NodeJS.Platform): Environment {
  // An empty variable is one that is not set, as Compose and shells make them; an empty fence would be none.
  const set = Object.entries(variables).filter(
    ([name, value]) => value !== '' || name === 'FILTERSCOPE_OUTPUTS',
  );
  const result = schema.safeParse(Object.fromEntries(set));
  if (!result.success) {
    const problems = result.error.issues
      .map(({ path, message }) => `${path.join('.')}: ${message}`)
      .join('; ');
    throw new FilterscopeError('bad-environment', `the environment is not right: ${problems}`);
  }
  const { FILTERSCOPE_CACHE, FILTERSCOPE_WEIGHTS_URL, XDG_CACHE_HOME, LOCALAPPDATA } = result.data;
  const s3Endpoint = result.data.AWS_ENDPOINT_URL_S3 ?? result.data.AWS_ENDPOINT_URL;
  const cacheHome =
    platform === 'darwin'
      ? join(homedir(), 'Library', 'Caches')
      : platform === 'win32'
        ? (LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'))
        : (XDG_CACHE_HOME ?? join(homedir(), '.cache'));
  return {
    cacheDirectory: FILTERSCOPE_CACHE ?? join(cacheHome, 'filterscope'),
    ...(FILTERSCOPE_WEIGHTS_URL !== undefined && { weightsUrl: FILTERSCOPE_WEIGHTS_URL }),
    ...(s3Endpoint !== undefined && { s3Endpoint }),
    redisUrl: result.data.REDIS_URL,
    redisGiven: Boolean(variables['REDIS_URL']),
    allowedOutputs: result.data.FILTERSCOPE_OUTPUTS ?? null,
    maxBacklog: result.data.FILTERSCOPE_MAX_BACKLOG,
    lockMs: result.data.FILTERSCOPE_LOCK_SECONDS * 1000,
    healthHost: result.data.FILTERSCOPE_HEALTH_HOST,
    ...(result.data.FILTERSCOPE_HEALTH_PORT !== undefined && {
      healthPort: result.data.FILTERSCOPE_HEALTH_PORT,
    }),
    ...(result.data.LOG_LEVEL !== undefined && { logLevel: result.data.LOG_LEVEL }),
  };
}
