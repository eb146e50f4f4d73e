import { describe, expect, inject, test } from 'vitest';
import { imageColumns } from '@filterscope/runs/image-row';
import { openManifest, ROWS_PER_PART } from '@filterscope/runs/manifest';
import { encodeParquet } from '@filterscope/runs/parquet';
import { encodeJson } from '@filterscope/runs/parse-stored';
import { readRunDocument } from '@filterscope/runs/run-document';
import { completeKey } from '@filterscope/runs/run-keys';
import { exampleIndex } from '@filterscope/runs/test-support/example-run';
import { openFolderStore } from '@filterscope/storage/folder-store';
import { openPlanningScene, type PlanningCost } from './plan-images.ts';

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
    'with their labels are planned and enqueued in under 400 MB, with under 20 bytes an image in Redis; so are those of a grown dataset',
    async () => {
      await using scene = await openPlanningScene(IMAGES);
      const first = await scene.plan();
      expectSmall(first);
      expect(first.finished.stderr).toContain('3,907 of 3,907 chunks are in the queue');
      expect(first.finished.stderr).toContain(
        'Classes by labels.csv: 1,000,000 of 1,000,000 files have a class.',
      );
      expect(first.pages).toBe(IMAGES / 1000);
      expect(first.document).toMatchObject({ manifest: { rows: IMAGES, images: IMAGES } });

      const { run } = JSON.parse(first.finished.stdout) as { run: string };
      await completeAllOk(scene.output, run);
      scene.grow(IMAGES + 1000);
      const second = await scene.plan();
      expectSmall(second);
      expect(second.finished.stderr).toContain('1,000,000 of 1,001,000 images are taken from earlier runs');
      expect(second.document).toMatchObject({ reuse: { runs: [run], unchanged: IMAGES, sameName: 0 } });
    },
    10 * MINUTES,
  );
});

function expectSmall({ finished, seconds, producerBytes, redisBytesAnImage }: PlanningCost): void {
  expect(finished.code, finished.stderr).toBe(0);
  console.log(
    `${IMAGES} images: listed, planned and enqueued in ${seconds.toFixed(1)} s; ` +
      `peak of the producer ${(producerBytes / 1e6).toFixed(0)} MB; ${redisBytesAnImage.toFixed(1)} bytes an image in Redis`,
  );
  expect(producerBytes).toBeLessThan(400e6);
  expect(redisBytesAnImage).toBeLessThan(20);
}

/** Gives a run the table of images that it would have if all its images were ok, and calls it complete. */
async function completeAllOk(folder: string, run: string): Promise<void> {
  const output = openFolderStore(folder);
  const { manifest, settings } = await readRunDocument(output, run);
  const reader = openManifest(output, run);
  const images: string[] = [];
  for (let from = 0; from < manifest.rows; from += ROWS_PER_PART) {
    const entries = await reader.read(from, Math.min(from + ROWS_PER_PART, manifest.rows));
    const sha256 = '0'.repeat(64);
    const rows = entries.map((entry, i) => ({ ...entry, row: from + i, status: 'ok', sha256 }));
    images.push(`index/images/run=${run}/${images.length}.parquet`);
    await output.put(images.at(-1)!, encodeParquet(imageColumns(settings.layers), rows));
  }
  const index = exampleIndex({ run, tables: { ...exampleIndex().tables, images } });
  await output.put(completeKey(run), encodeJson(index));
}
