import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { carryOutChunk } from '@filterscope/runs/carry-out-chunk';
import { completeRun } from '@filterscope/runs/complete-run';
import { readComplete } from '@filterscope/runs/index-document';
import { retryPass } from '@filterscope/runs/retry-pass';
import { runChunks } from '@filterscope/runs/run-chunks';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { listFiles } from '../support/list-files.ts';
import { FIRST_LAYER, plannedRun } from '../support/planned-run.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { readStoredRun } from '../support/stored-run.ts';
import { createStubEngine } from '../support/stub-engine.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const newFolder = temporaryFolders();

test.each([
  ['its first table', (key: string) => key.startsWith('index/')],
  ['complete.json', (key: string) => key.endsWith('/complete.json')],
])('a completion that is frozen before %s does not undo a newer one', async (_, isHeld) => {
  const photos = await newFolder();
  const [first] = await writePhotos(photos, 9);
  const run = await plannedRun(photos, await newFolder(), { chunkSize: 100 });
  const { document, output, work } = run;
  await using engine = createStubEngine(FIRST_LAYER);
  const place = join(photos, first);
  await rename(place, `${place}.away`);
  await runChunks({ ...work, engine });
  await rename(`${place}.away`, place);

  const frozen = Promise.withResolvers<void>();
  const thawed = Promise.withResolvers<void>();
  const freezing: ObjectStore = {
    ...output,
    async put(key, bytes, options) {
      if (isHeld(key)) {
        frozen.resolve();
        await thawed.promise;
      }
      return output.put(key, bytes, options);
    },
  };
  const late = completeRun(document, freezing);
  await frozen.promise;
  const pass = await retryPass(output, document.run, 0, 1, null);
  await carryOutChunk({ ...work, engine }, 0, pass);
  const newer = await completeRun(document, output);
  expect(newer).toMatchObject({ ok: 9, failed: 0 });
  thawed.resolve();

  expect((await late)?.generation).toBe(newer?.generation);
  expect((await readComplete(output, document.run))?.generation).toBe(newer?.generation);
  const { images } = await readStoredRun(output, document.run);
  expect(images.map(({ status }) => status)).toEqual(Array(9).fill('ok'));
  const tables = (await listFiles(join(output.url, 'index'))).filter((file) => !file.includes('readings'));
  expect(tables.filter((file) => !file.includes(newer!.generation))).toEqual([]);
});
