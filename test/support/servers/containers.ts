import { randomUUID } from 'node:crypto';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import type { S3Address } from './addresses.ts';
import { freePorts } from './free-ports.ts';
import { redisArgs, type OwnRedis, type RedisOptions } from './start-redis.ts';

const REDIS_IMAGE = 'redis:8.6-alpine';
/** Later than 4.16, in which two conditional puts of one key at once could both succeed (its issue 8800). */
const SEAWEEDFS_IMAGE = 'chrislusf/seaweedfs:4.47';
const REDIS_PORT = 6379;
const SEAWEEDFS_PORT = 8333;
const SEAWEEDFS_CONFIG = '/etc/seaweedfs/filterscope-s3.json';

/** Whether a Docker engine answers; a `docker` command without one does not count. */
export async function dockerAnswers(): Promise<boolean> {
  return getContainerRuntimeClient().then(
    () => true,
    () => false,
  );
}

/** Starts a Redis in a container of its own. Testcontainers removes the container also when this process is killed. */
export async function startRedisContainer(options: RedisOptions = {}): Promise<OwnRedis> {
  // A port that Docker chooses would be another one after a restart.
  const [port] = (await freePorts(1)) as [number];
  const container = await new GenericContainer(REDIS_IMAGE)
    .withCommand(['redis-server', ...redisArgs(options)])
    .withExposedPorts({ container: REDIS_PORT, host: port })
    .withWaitStrategy(Wait.forLogMessage('Ready to accept connections'))
    .start();
  const client = (await getContainerRuntimeClient()).container;
  const handle = client.getById(container.getId());
  const pidNow = async () => (await handle.inspect()).State.Pid;
  let pid = await pidNow();
  const stop = async () => {
    await container.stop({ timeout: 0, removeVolumes: true });
  };
  return {
    url: `redis://${container.getHost()}:${port}`,
    port,
    get pid() {
      return pid;
    },
    async kill() {
      if ((await handle.inspect()).State.Running) await handle.kill();
    },
    async restart() {
      await container.restart({ timeout: 0 });
      pid = await pidNow();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Starts SeaweedFS's S3 server, with a user, in a container. */
export async function startSeaweedfs(): Promise<Omit<S3Address, 'bucket'> & AsyncDisposable> {
  const keys = { accessKeyId: 'filterscope-test', secretAccessKey: randomUUID() };
  const user = {
    name: 'filterscope',
    credentials: [{ accessKey: keys.accessKeyId, secretKey: keys.secretAccessKey }],
    actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
  };
  const container = await new GenericContainer(SEAWEEDFS_IMAGE)
    .withCommand(['server', '-s3', `-s3.config=${SEAWEEDFS_CONFIG}`])
    .withCopyContentToContainer([
      { content: JSON.stringify({ identities: [user] }), target: SEAWEEDFS_CONFIG },
    ])
    .withExposedPorts(SEAWEEDFS_PORT)
    .withWaitStrategy(Wait.forHttp('/status', SEAWEEDFS_PORT))
    .start();
  return {
    endpoint: `http://${container.getHost()}:${container.getMappedPort(SEAWEEDFS_PORT)}`,
    region: 'us-east-1',
    ...keys,
    [Symbol.asyncDispose]: () => container[Symbol.asyncDispose](),
  };
}
