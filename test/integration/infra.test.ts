import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolders } from '../support/temporary-folders.ts';

/** Holds docker-compose.yml and infra/ to what docs/deployment.md says of them; nothing here needs Docker. */

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const newFolder = temporaryFolders();

interface Service {
  readonly build?: { readonly dockerfile: string; readonly target: string };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly profiles?: readonly string[];
  readonly restart: string;
  readonly stop_grace_period?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: unknown;
  readonly deploy?: unknown;
}
const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
};
const optionOf = ({ command = [] }: Service, option: string) => command[command.indexOf(option) + 1];
const workers = ['worker', 'worker-gpu'].map((name) => services[name]);
const seconds = (text = '') => Number(/^(\d+)s$/.exec(text)?.[1]);

describe('docker-compose.yml', () => {
  test('publishes ports on the loopback address only', () => {
    const ports = Object.values(services).flatMap(({ ports = [] }) => ports);
    expect(ports).toHaveLength(2);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\$\{LOCAL_\w+:-\d+\}:\d+$/);
  });

  test('holds no keys but local defaults', () => {
    const keys = Object.values(services).flatMap(({ environment = {} }) =>
      Object.entries(environment).filter(([name]) => /KEY|SECRET|TOKEN|PASSWORD/.test(name)),
    );
    expect(keys.length).toBeGreaterThan(0);
    for (const [, value] of keys) expect(value).toMatch(/^\$\{LOCAL_\w+:-[a-z-]*local[a-z-]*\}$/);
  });

  test('keeps jobs in Redis: a log on disk, no eviction, a bound on memory', () => {
    const { redis } = services;
    expect(optionOf(redis, '--appendonly')).toBe('yes');
    expect(optionOf(redis, '--maxmemory-policy')).toBe('noeviction');
    expect(optionOf(redis, '--maxmemory')).toMatch(/^\$\{LOCAL_REDIS_MEMORY:-\d+mb\}$/);
    expect(redis.volumes).toContain('redis:/data');
  });

  test('starts workers when Redis answers and the bucket is there, and the bucket when S3 answers', () => {
    for (const { depends_on } of workers) {
      expect(depends_on).toEqual({
        redis: { condition: 'service_healthy' },
        bucket: { condition: 'service_completed_successfully' },
      });
    }
    expect(services['bucket'].depends_on).toEqual({ seaweedfs: { condition: 'service_healthy' } });
    for (const name of ['redis', 'seaweedfs']) expect(services[name].healthcheck).toHaveProperty('test');
  });

  test('gives a worker longer to stop than it takes, and starts it again', () => {
    for (const worker of workers) {
      const grace = seconds(optionOf(worker, '--grace'));
      expect(seconds(worker.stop_grace_period)).toBeGreaterThanOrEqual(grace + 10);
      expect(worker.restart).toBe('unless-stopped');
    }
  });

  test('has a worker with a graphics processor, on request only', () => {
    expect(services['worker-gpu'].profiles).toEqual(['gpu']);
    expect(services['worker-gpu'].deploy).toEqual({
      resources: { reservations: { devices: [{ driver: 'nvidia', count: 1, capabilities: ['gpu'] }] } },
    });
    expect(services['worker'].profiles).toBeUndefined();
  });

  test('sets variables only that something reads', () => {
    const inProgram = ['REDIS_URL', 'FILTERSCOPE_', 'LOG_LEVEL', 'AWS_ENDPOINT_URL_S3'];
    // The default chain of the AWS SDK.
    const inSdk = ['AWS_REGION', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'];
    const environment = read('apps/cli/src/environment.ts');
    for (const name of Object.keys(services['worker'].environment ?? {})) {
      if (inProgram.some((start) => name.startsWith(start))) expect(environment).toContain(`  ${name}: z`);
      else expect(inSdk).toContain(name);
    }
    for (const name of Object.keys(services['seaweedfs'].environment ?? {}))
      expect(read('infra/seaweedfs/entry.sh')).toContain(`"$${name}"`);
  });

  test('builds and mounts what is in the repository', () => {
    const dockerfile = read('infra/docker/worker.Dockerfile');
    const built = Object.values(services).flatMap(({ build }) => build ?? []);
    expect(built).toHaveLength(3);
    for (const { dockerfile: path, target } of built) {
      expect(path).toBe('infra/docker/worker.Dockerfile');
      expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${target}$`, 'm'));
    }
    const mounted = Object.values(services).flatMap(({ volumes = [] }) =>
      volumes.filter((volume) => volume.startsWith('.')),
    );
    expect(mounted).toHaveLength(1);
    for (const volume of mounted) expect(existsSync(join(root, volume.split(':')[0]))).toBe(true);
  });
});

describe('worker.Dockerfile', () => {
  const dockerfile = read('infra/docker/worker.Dockerfile');
  const copies = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, sources]) =>
    sources.split(' '),
  );
  const stages = dockerfile.split(/^(?=FROM )/m).slice(1);

  test('copies what there is, and the package.json of each workspace before installing', () => {
    for (const source of copies) expect(existsSync(join(root, source)), source).toBe(true);
    const workspaces = ['packages', 'apps'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}/package.json`),
    );
    expect(copies).toEqual(expect.arrayContaining(workspaces));
  });

  test('a worker runs as an ordinary user and tells whether it is well', () => {
    const stage = stages.find((text) => /^FROM \S+ AS worker\n/.test(text)) ?? '';
    expect(stage.match(/^USER .+$/gm)).toEqual(['USER node']);
    expect(stage).toMatch(/^HEALTHCHECK (.|\n)+\/healthz/m);
    expect(stage).toMatch(
      /^ENTRYPOINT \["node", "\/app\/apps\/cli\/bin\/filterscope\.mjs"\]\nCMD \["worker"\]$/m,
    );
    const threshold = /MALLOC_MMAP_THRESHOLD_\W+(\d+)/;
    expect(threshold.exec(stage)?.[1]).toBe(threshold.exec(read('apps/cli/bin/filterscope.mjs'))?.[1]);
  });

  test('one on a GPU is the same, with what its driver needs', () => {
    const stage = stages.find((text) => text.startsWith('FROM worker AS gpu\n')) ?? '';
    expect(stage.match(/^USER .+$/gm)).toEqual(['USER root', 'USER node']);
    expect(stage).toMatch(/^CMD \["worker", "--engine", "onnx-webgpu"\]$/m);
    expect(stages.at(-1)).toBe('FROM worker\n');
  });
});

describe('infra/seaweedfs/entry.sh', () => {
  test('writes the identity and starts the server with it', async () => {
    const { output, identities } = await startSeaweedfs('filterscope-local', 'a/b+c=');
    expect(output).toBe(`server -s3.config=${identities}\n`);
    expect(JSON.parse(readFileSync(identities, 'utf8'))).toMatchObject({
      identities: [{ credentials: [{ accessKey: 'filterscope-local', secretKey: 'a/b+c=' }] }],
    });
  });

  test('refuses keys that would break out of the file', async () => {
    await expect(startSeaweedfs('local', 'a"b')).rejects.toThrow(/may hold letters/);
    await expect(startSeaweedfs('local', '')).rejects.toThrow(/S3_SECRET_KEY/);
  });
});

/** Runs the entry script with `echo` in place of SeaweedFS. */
async function startSeaweedfs(accessKey: string, secretKey: string) {
  const identities = join(await newFolder(), 's3.json');
  const env = {
    PATH: process.env['PATH'],
    S3_ACCESS_KEY: accessKey,
    S3_SECRET_KEY: secretKey,
    S3_IDENTITIES: identities,
    SEAWEEDFS_ENTRY: 'echo',
  };
  const script = join(root, 'infra/seaweedfs/entry.sh');
  const output = execFileSync('/bin/sh', [script, 'server'], {
    env,
    encoding: 'utf8',
    stdio: 'pipe',
  });
  return { output, identities };
}
