import type { RedisAddress, S3Address, ServerAddresses } from './addresses.ts';
import { canInstall, installPackages } from './debian-packages.ts';
import { findProgram } from './find-program.ts';
import { createBucket, deleteBucket } from './s3-bucket.ts';
import { RADOSGW_PROGRAMS, startRadosgw } from './start-radosgw.ts';
import { startRedis } from './start-redis.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const REDIS_PACKAGES = ['redis-server'];
const S3_PACKAGES = ['ceph-mon', 'ceph-osd', 'radosgw'];

/**
 * Finds or starts the servers of a test run, in this order: those that `REDIS_URL` and `AWS_ENDPOINT_URL_S3` name; containers
 * where a Docker engine answers; Debian's redis-server and radosgw, which are installed when this process may do so.
 * What cannot be had is undefined, and `serversMissing` says why.
 * @param say is told, in one line, what takes long and why
 */
export async function startServers(
  env: Environment,
  say: (line: string) => void,
): Promise<ServerAddresses & AsyncDisposable> {
  const named = env['REDIS_URL'] !== undefined && env['AWS_ENDPOINT_URL_S3'] !== undefined;
  const docker = named && hasRedis() ? false : await (await import('./containers.ts')).dockerAnswers();
  const problems = docker ? [] : await installWhatLacks(env, say);
  await using stack = new AsyncDisposableStack();
  const [redis, s3] = await Promise.allSettled([redisOf(env, docker, stack), s3Of(env, docker, stack)]);
  for (const { reason } of [redis, s3].filter((started) => started.status === 'rejected')) {
    // An S3 error's name is its code; its message is often nothing but `UnknownError`.
    problems.push(`${reason}`);
  }
  const running = stack.move();
  return {
    redis: redis.status === 'fulfilled' ? redis.value : undefined,
    s3: s3.status === 'fulfilled' ? s3.value : undefined,
    ownRedis: docker || hasRedis(),
    serversMissing: problems.join('\n'),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

function hasRedis(): boolean {
  return findProgram('redis-server') !== undefined;
}

function hasRadosgw(): boolean {
  return RADOSGW_PROGRAMS.every((name) => findProgram(name) !== undefined);
}

/** Installs what is needed and not there; gives the reasons why something still is not. */
async function installWhatLacks(env: Environment, say: (line: string) => void): Promise<string[]> {
  // A Redis is needed also beside one that REDIS_URL names: some tests kill theirs.
  const lacking = hasRedis() ? [] : [...REDIS_PACKAGES];
  if (env['AWS_ENDPOINT_URL_S3'] === undefined && !hasRadosgw()) lacking.push(...S3_PACKAGES);
  if (lacking.length === 0) return [];
  if (!canInstall()) {
    const names = lacking.join(' ');
    return [`Not on this machine: ${names}. Start Docker, or as root run: apt-get install ${names}`];
  }
  say(`Installing ${lacking.join(', ')}: the tests run against real servers (once; about a minute) …`);
  try {
    await installPackages(lacking);
    return [];
  } catch (error) {
    return [(error as Error).message];
  }
}

async function redisOf(
  env: Environment,
  docker: boolean,
  stack: AsyncDisposableStack,
): Promise<RedisAddress | undefined> {
  if (env['REDIS_URL'] !== undefined) return { url: env['REDIS_URL'] };
  if (!docker && !hasRedis()) return undefined;
  const start = docker ? (await import('./containers.ts')).startRedisContainer : startRedis;
  const { url } = stack.use(await start());
  return { url };
}

async function s3Of(
  env: Environment,
  docker: boolean,
  stack: AsyncDisposableStack,
): Promise<S3Address | undefined> {
  const named = env['AWS_ENDPOINT_URL_S3'];
  if (named !== undefined) {
    const server = s3FromEnvironment(named, env);
    const address = { ...server, bucket: await createBucket(server) };
    stack.defer(() => deleteBucket(address));
    return address;
  }
  if (!docker && !hasRadosgw()) return undefined;
  const start = docker ? (await import('./containers.ts')).startSeaweedfs : startRadosgw;
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.use(await start());
  const server = { endpoint, region, accessKeyId, secretAccessKey };
  return { ...server, bucket: await createBucket(server) };
}

function s3FromEnvironment(endpoint: string, env: Environment): Omit<S3Address, 'bucket'> {
  const { AWS_REGION: region = 'us-east-1', AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = env;
  if (AWS_ACCESS_KEY_ID === undefined || AWS_SECRET_ACCESS_KEY === undefined) {
    throw new Error('AWS_ENDPOINT_URL_S3 is set: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY too.');
  }
  return { endpoint, region, accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
}
