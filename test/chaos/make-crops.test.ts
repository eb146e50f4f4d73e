import { readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodePicture } from '@filterscope/imaging/picture-file';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { findGarbage } from '@filterscope/runs/collect-garbage';
import { completeRun } from '@filterscope/runs/complete-run';
import { cropParts, cropRows, openCropParts, readCropPart } from '@filterscope/runs/crop-parts';
import type { IndexDocument } from '@filterscope/runs/index-document';
import type { ChunkJournal } from '@filterscope/runs/journal';
import { makeAllCrops, makeCropPart } from '@filterscope/runs/make-crops';
import { runChunks } from '@filterscope/runs/run-chunks';
import { cropPartKey, cropsFolder, pictureKey, picturesFolder } from '@filterscope/runs/run-keys';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { failingStore, type PutFate } from '../support/failing-store.ts';
import { FIRST_LAYER, plannedRun, type PlannedRun } from '../support/planned-run.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { createStubEngine } from '../support/stub-engine.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// Keeping the pictures that crops are cut out of: all of them, whatever fails on the way, and none twice.

const PHOTOS = 7;
const newFolder = temporaryFolders();

type Scene = PlannedRun & { readonly index: IndexDocument; readonly photos: string };

/** A complete run without its crops. */
async function completed(topK = 16): Promise<Scene> {
  const photos = await newFolder();
  await writePhotos(photos, PHOTOS);
  await writeDated(join(photos, 'cat/broken.jpg'), 'no picture');
  const run = await plannedRun(photos, await newFolder(), { topK });
  await using engine = createStubEngine(FIRST_LAYER);
  await runChunks({ ...run.work, engine });
  return { ...run, index: (await completeRun(run.document, run.output))!, photos };
}

const make = ({ work, index }: Scene, output: ObjectStore = work.output) =>
  makeAllCrops({ ...work, output, index });
const keysIn = async ({ output }: Scene, folder: string) =>
  (await Array.fromAsync(output.list(folder))).map(({ key }) => key).toSorted();
const contents = async (scene: Scene) => {
  const keys = [
    ...(await keysIn(scene, picturesFolder(scene.document.run))),
    ...(await keysIn(scene, cropsFolder(scene.document.run))),
  ];
  return Promise.all(keys.map(async (key) => [key, Buffer.from((await scene.output.get(key)).bytes)]));
};

test('every image in a top list has its picture, which is what the network saw; again, nothing is written', async () => {
  const scene = await completed();
  const { document, output, index, photos } = scene;
  const rows = await cropRows(document, index, output);
  expect(rows).toHaveLength(PHOTOS);
  expect(index.cropImages).toBe(PHOTOS);
  const seen = { pictures: 0, missing: 0 };
  await makeAllCrops({
    ...scene.work,
    index,
    onBegin: (pictures) => (seen.pictures = pictures),
    onPicture: (missing) => (seen.missing += missing ? 1 : 0),
  });
  expect(seen).toEqual({ pictures: PHOTOS, missing: 0 });
  for (const row of rows) {
    const [{ image }] = await scene.work.manifest.read(row, row + 1);
    const prepared = await prepareImage(await readFile(join(photos, image)), 'crop');
    const stored = await decodePicture((await output.get(pictureKey(document.run, row))).bytes);
    expect(prepared.status === 'ok' && Buffer.from(prepared.pixels).equals(stored)).toBe(true);
  }
  expect(await readCropPart(output, document.run, index.generation, 0)).toEqual({
    v: 1,
    generation: index.generation,
    part: 0,
    rows,
    missing: [],
  });
  const dead = failingStore(output, () => 'refused');
  await make(scene, dead);
});

test.each<PutFate>(['refused', 'answer-lost'])(
  'whichever put is %s, the next time makes what is missing, and all is as if nothing had been',
  async (fate) => {
    const scene = await completed();
    await make(scene);
    const undisturbed = await contents(scene);
    expect(undisturbed).toHaveLength(PHOTOS + 1);
    for (let at = 0; at <= PHOTOS; at++) {
      await scene.output.delete((await contents(scene)).map(([key]) => String(key)));
      const store = failingStore(scene.output, (put) => (put === at ? fate : 'stored'));
      await expect(make(scene, store)).rejects.toThrow(/put/);
      const done = fate === 'answer-lost' && at === PHOTOS;
      expect(await openCropParts(scene.document, scene.index, scene.output)).toEqual(done ? [] : [0]);
      await make(scene);
      expect(await contents(scene)).toEqual(undisturbed);
    }
  },
);

test('an image that has changed or is gone since is missing with the reason; the others have theirs', async () => {
  const scene = await completed();
  const { document, output, index, photos } = scene;
  const rows = await cropRows(document, index, output);
  const nameOf = async (row: number) => (await scene.work.manifest.read(row, row + 1))[0].image;
  await utimes(join(photos, await nameOf(rows[2])), new Date(0), new Date(5_000));
  await rm(join(photos, await nameOf(rows[5])));
  await make(scene);
  const part = await readCropPart(output, document.run, index.generation, 0);
  expect(part!.missing.map(({ row, code }) => [row, code])).toEqual([
    [rows[2], 'changed'],
    [rows[5], 'missing'],
  ]);
  expect(part!.rows).toEqual(rows.filter((_, i) => i !== 2 && i !== 5));
  expect(await keysIn(scene, picturesFolder(document.run))).toHaveLength(PHOTOS - 2);
});

test('another index makes only the pictures that the one before did not', async () => {
  const scene = await completed();
  await make(scene);
  const [row] = await cropRows(scene.document, scene.index, scene.output);
  await scene.output.delete([pictureKey(scene.document.run, row)]);
  const written: string[] = [];
  const output = failingStore(scene.output, (_, key) => (written.push(key), 'stored'));
  await makeAllCrops({ ...scene.work, output, index: { ...scene.index, generation: 'f'.repeat(16) } });
  expect(written).toEqual([
    pictureKey(scene.document.run, row),
    `${cropsFolder(scene.document.run)}${'f'.repeat(16)}/0000000.json`,
  ]);
});

test('what only an earlier index needed is garbage, once the crops of the newest are made', async () => {
  const scene = await completed();
  const { document, output, index } = scene;
  const garbage = async () =>
    (await Array.fromAsync(findGarbage(output, new Date(Date.now() + 60_000)))).map(({ key }) => key);
  await make(scene);
  expect(await garbage()).toEqual([]);
  const earlier = `${cropsFolder(document.run)}${'0'.repeat(16)}/0000000.json`;
  const useless = pictureKey(document.run, 999);
  const done = cropPartKey(document.run, index.generation, 0);
  const { bytes } = await output.get(done);
  await output.put(earlier, bytes);
  await output.put(useless, bytes);
  await output.delete([done]);
  expect(await garbage()).toEqual([]);
  await make(scene);
  expect(await garbage()).toEqual([useless, earlier]);
  const others = new Date(0); // all of it may be work in progress
  expect(await Array.fromAsync(findGarbage(output, others))).toEqual([]);
});

test('without top lists there is nothing to keep', async () => {
  const scene = await completed(0);
  expect(cropParts(scene.document, scene.index).count).toBe(0);
  await make(scene);
  expect(await contents(scene)).toEqual([]);
});

test('an image that killed processes is given up after two of them; a suspect that comes through is acquitted', async () => {
  const scene = await completed();
  const { document, output, index } = scene;
  const rows = await cropRows(document, index, output);
  const told: string[] = [];
  const journal: ChunkJournal = {
    suspects: () =>
      Promise.resolve(
        new Map([
          [rows[1], 2],
          [rows[4], 1],
        ]),
      ),
    takeUp: async (row) => void told.push(`up ${row}`),
    putDown: async (row) => void told.push(`down ${row}`),
    acquit: async (row) => void told.push(`acquit ${row}`),
  };
  const part = await makeCropPart({ ...scene.work, index, rows, journal }, 0);
  expect(part.missing).toEqual([
    { row: rows[1], code: 'poison', message: '2 processes ended with this image in hand' },
  ]);
  // With nothing else in hand.
  const at = told.indexOf(`up ${rows[4]}`);
  expect(told.slice(at, at + 3)).toEqual([`up ${rows[4]}`, `acquit ${rows[4]}`, `down ${rows[4]}`]);
  expect(told.filter((line) => line.startsWith('up'))).toHaveLength(PHOTOS - 1);
});
