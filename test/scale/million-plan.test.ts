import { describe, expect, inject, test } from 'vitest';
import { planImages } from './plan-images.ts';

const IMAGES = 1_000_000;
const MINUTES = 60_000;

const reason =
  process.platform !== 'linux'
    ? "a process's memory is read from /proc"
    : inject('ownRedis')
      ? undefined
      : inject('serversMissing');
if (reason !== undefined) console.log(`skipped: a plan of ${IMAGES} images: ${reason}`);

describe.skipIf(reason !== undefined)('a million images', () => {
  test(
    'with their labels are planned and enqueued in under 400 MB, with under 20 bytes an image in Redis',
    async () => {
      const { finished, pages, document, seconds, producerBytes, redisBytesAnImage } =
        await planImages(IMAGES);
      expect(finished.stderr).toContain('3,907 of 3,907 chunks are in the queue');
      expect(finished.stderr).toContain('Classes by labels.csv: 1,000,000 of 1,000,000 files have a class.');
      expect(finished.code).toBe(0);
      expect(pages).toBe(IMAGES / 1000);
      expect(document).toMatchObject({ manifest: { rows: IMAGES, images: IMAGES } });
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
