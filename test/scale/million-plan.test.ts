import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import { parseMemory } from '@filterscope/queue/admission';
import { connectRedis } from '@filterscope/queue/redis';
import { startFilterscope } from '../support/run-filterscope.ts';
import { startRedis } from '../support/servers/start-redis.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { keyOf, startListingServer } from './listing-server.ts';

const IMAGES = 1_000_000;
const MINUTES = 60_000;

const reason =
  process.platform !== 'linux'
    ? "a process's memory is read from /proc"
    : inject('ownRedis')
      ? undefined
      : inject('serversMissing');
if (reason !== undefined) console.log(`skipped: a plan of ${IMAGES} images: ${reason}`);

const newFolder = temporaryFolders();

describe.skipIf(reason !== undefined)('a million images', () => {
  test(
    'with their labels are planned and enqueued in under 400 MB, with under 20 bytes an image in Redis',
    async () => {
      await using bucket = await startListingServer(IMAGES);
      await using redis = await startRedis();
      const output = await newFolder();
      const labels = join(await newFolder(), 'labels.csv');
      await pipeline(Readable.from(labelLines()), createWriteStream(labels));
      const before = await redisBytes(redis.url);
      const begun = performance.now();
      const running = startFilterscope(
        [
          'submit',
          's3://million',
          '--dataset-endpoint',
          bucket.endpoint,
          '--output',
          output,
          '--weights',
          'synthetic',
          '--grids',
          'none',
          '--labels',
          labels,
          '--json',
        ],
        {
          environment: { REDIS_URL: redis.url, AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'any' },
        },
      );
      const peak = peakMemory(running.child.pid!);
      const { code, stdout, stderr } = await running.finished;
      const seconds = (performance.now() - begun) / 1000;
      expect(stderr).toContain('3,907 of 3,907 chunks are in the queue');
      expect(stderr).toContain('Classes by labels.csv: 1,000,000 of 1,000,000 files have a class.');
      expect(code).toBe(0);
      expect(bucket.pages()).toBe(IMAGES / 1000);
      const { run } = JSON.parse(stdout) as { run: string };
      const document = JSON.parse(await readFile(join(output, 'runs', run, 'run.json'), 'utf8')) as unknown;
      expect(document).toMatchObject({ manifest: { rows: IMAGES, images: IMAGES } });

      const producerBytes = await peak;
      const redisBytesAnImage = ((await redisBytes(redis.url)) - before) / IMAGES;
      console.log(
        `${IMAGES} images: listed, planned and enqueued in ${seconds.toFixed(1)} s; ` +
          `peak of the producer ${(producerBytes / 1e6).toFixed(0)} MB; ${redisBytesAnImage.toFixed(1)} bytes an image in Redis`,
      );
      expect(producerBytes).toBeLessThan(400e6);
      expect(redisBytesAnImage).toBeLessThan(20);
    },
    5 * MINUTES,
  );
});

/** A line for each image, in no useful order, of one of a thousand classes; a second one for every tenth. */
function* labelLines(): Generator<string> {
  yield 'image,class\n';
  for (let i = 0; i < IMAGES; i++) {
    const index = (i * 7_919) % IMAGES;
    yield `${keyOf(index)},class-${index % 1000}\n`;
    if (index % 10 === 0) yield `${keyOf(index)},group-${index % 7}\n`;
  }
}

/** @returns the most memory a process ever had resident, once it has ended */
async function peakMemory(pid: number): Promise<number> {
  let bytes = 0;
  for (;;) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    const high = /^VmHWM:\s+(\d+) kB/m.exec(status);
    if (!high) return bytes;
    bytes = Number(high[1]) * 1024;
    await setTimeout(100);
  }
}

async function redisBytes(url: string): Promise<number> {
  const redis = connectRedis(url, 'prompt', () => undefined);
  try {
    return parseMemory(await redis.info('memory')).usedBytes;
  } finally {
    redis.disconnect();
  }
}
