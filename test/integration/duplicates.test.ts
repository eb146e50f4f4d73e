import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { filterInFull, filterRows, layerRows } from '@filterscope/results/summaries';
import { imageRows } from '@filterscope/results/images';
import { openResults } from '@filterscope/results/open-results';
import { carryOutChunk } from '@filterscope/runs/carry-out-chunk';
import { completeRun } from '@filterscope/runs/complete-run';
import { retryPass } from '@filterscope/runs/retry-pass';
import { runChunks } from '@filterscope/runs/run-chunks';
import type { Summary } from '../support/answers.ts';
import { FIRST_LAYER, plannedRun, type PlannedRun } from '../support/planned-run.ts';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { readStoredRun } from '../support/stored-run.ts';
import { createStubEngine } from '../support/stub-engine.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const newFolder = temporaryFolders();
const layer = FIRST_LAYER[0].layer;
let photos: string;
/** Ten photos, five of them under a second name, one of these under a third, all in other classes. */
beforeAll(async () => {
  photos = await newFolder();
  const keys = await writePhotos(photos, 10);
  const again = [...keys.slice(0, 5), keys[0]];
  for (const [i, key] of again.entries()) {
    await writeDated(join(photos, `copies/${i}.jpg`), await readFile(join(photos, key)));
  }
});

async function carriedOut(
  dataset: string,
  given: Parameters<typeof plannedRun>[2] = {},
  firstChunk = 0,
): Promise<PlannedRun> {
  const run = await plannedRun(dataset, await newFolder(), given);
  await using engine = createStubEngine(FIRST_LAYER);
  await runChunks({ ...run.work, engine, firstChunk });
  await completeRun(run.document, run.output);
  return run;
}

async function imagesOf({ output, document }: PlannedRun) {
  await using results = await openResults(output, document);
  return { index: results.index, rows: await Array.fromAsync(imageRows(results)) };
}

async function answersOf({ output, document }: PlannedRun) {
  await using results = await openResults(output, document);
  return { layers: await layerRows(results), filters: await filterRows(results, {}) };
}

describe('images with the same bytes', () => {
  test('are counted and named, and each is in the statistics unless told', async () => {
    const run = await carriedOut(photos);
    const { index, rows } = await imagesOf(run);
    expect(index).toMatchObject({ ok: 16, duplicates: 6 });
    for (const row of rows) {
      const [first] = rows.filter(({ sha256 }) => sha256 === row.sha256);
      expect(row.duplicateOf).toBe(first === row ? null : first.row);
    }
    const { layers } = await answersOf(run);
    expect(layers[0].images).toBe(16);
  });

  test('count once: as if the others were not there, in their classes too', async () => {
    const run = await carriedOut(photos, { countDuplicates: 'once' });
    const { index, rows } = await imagesOf(run);
    expect(index).toMatchObject({ ok: 16, duplicates: 6 });
    const distinct = await newFolder();
    const firsts = rows.filter(({ duplicateOf }) => duplicateOf === null);
    for (const { image } of firsts)
      await writeDated(join(distinct, image), await readFile(join(photos, image)));
    const alone = await carriedOut(distinct);
    expect(await answersOf(run)).toEqual(await answersOf(alone));

    await using results = await openResults(run.output, run.document);
    await using resultsAlone = await openResults(alone.output, alone.document);
    for (let filter = 0; filter < 64; filter++) {
      const detail = await filterInFull(results, layer, filter);
      const expected = await filterInFull(resultsAlone, layer, filter);
      expect(detail.histogram).toEqual(expected.histogram);
      // The rows that are left have the same order among themselves.
      const nth = detail.topImages.map((top) => ({
        ...top,
        row: firsts.findIndex(({ row }) => row === top.row),
      }));
      expect(nth).toEqual(expected.topImages);
      const named = ({ document }: PlannedRun, { classes }: typeof detail) =>
        classes.map(({ classId, ...rates }) => ({ name: document.classes[classId], ...rates }));
      expect(named(run, detail)).toEqual(named(alone, expected));
    }
    for (const name of ['cat', 'copies']) {
      const question = { class: name };
      if (firsts.some((row) => row.class === name))
        expect(await filterRows(results, question)).toEqual(await filterRows(resultsAlone, question));
      else await expect(filterRows(results, question)).rejects.toMatchObject({ code: 'unknown-class' });
    }
  });

  test.each([
    [1, 0],
    [3, 2],
    [100, 0],
  ])('count once whatever the chunk size, %i, and the order of work', async (chunkSize, firstChunk) => {
    const given = { countDuplicates: 'once', grids: 'none', gridStyle: null, gridFormat: null } as const;
    const run = await carriedOut(photos, { ...given, chunkSize }, firstChunk);
    const other = await carriedOut(photos, given);
    const tables = await readStoredRun(run.output, run.document.run);
    expect(tables).toEqual(await readStoredRun(other.output, other.document.run));
  });

  test('a first one that a retry brings takes the place of the one that was first without it', async () => {
    const settings = { countDuplicates: 'once', chunkSize: 3 } as const;
    const undisturbed = await carriedOut(photos, settings);
    const { rows } = await imagesOf(undisturbed);
    const copy = rows.find(({ duplicateOf }) => duplicateOf !== null)!;
    const first = rows[copy.duplicateOf!];

    const run = await plannedRun(photos, await newFolder(), settings);
    await using engine = createStubEngine(FIRST_LAYER);
    const place = join(photos, first.image);
    await rename(place, `${place}.away`);
    await runChunks({ ...run.work, engine });
    await completeRun(run.document, run.output);
    await rename(`${place}.away`, place);
    const before = await imagesOf(run);
    expect(before.index).toMatchObject({ ok: 15, failed: 1, duplicates: 5 });
    expect(before.rows[copy.row].duplicateOf).toBeNull();

    const chunk = Math.floor(first.row / settings.chunkSize);
    const pass = await retryPass(run.output, run.document.run, chunk, 1, null);
    await carryOutChunk({ ...run.work, engine }, chunk, pass);
    await completeRun(run.document, run.output);
    const stored = await readStoredRun(run.output, run.document.run);
    expect(stored).toEqual(await readStoredRun(undisturbed.output, undisturbed.document.run));
  });
});

test('the command says how many there are and whether they count', { timeout: 120_000 }, async () => {
  const output = await newFolder();
  const args = [
    photos,
    '--output',
    output,
    '--weights',
    'synthetic',
    '--layers',
    'block1_conv1',
    '--grids',
    'none',
  ];
  const refused = await filterscope(['analyze', ...args, '--count-duplicates', 'once', '--readings', 'none']);
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining('needs the readings') as string });
  const summary = await askJson<Summary>(['analyze', ...args, '--count-duplicates', 'once']);
  expect(summary).toMatchObject({ images: 16, ok: 16, duplicates: 6 });
  const status = await filterscope(['status', 'latest', '--output', output]);
  expect(status.stdout).toContain('6 images have the same bytes as an earlier one and are in no statistic');
  const query = ['query', 'latest', 'SELECT countDuplicates, duplicates FROM runs', '--output', output];
  expect(await askJson(query)).toEqual([{ countDuplicates: 'once', duplicates: 6 }]);
  const { stderr } = await filterscope(['analyze', ...args]);
  expect(stderr).toContain('6 images have the same bytes as an earlier one; each counts.');
  const each = await askJson<{ duplicates: number; run: string }>(['status', 'latest', '--output', output]);
  expect(each.duplicates).toBe(6);
  expect(each.run).not.toBe(summary.run);
});
