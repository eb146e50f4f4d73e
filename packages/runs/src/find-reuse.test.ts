import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { findReuse } from './find-reuse.ts';
import { orderOf } from './image-key.ts';
import { imageColumns } from './image-row.ts';
import { manifestOf } from './manifest.ts';
import { encodeParquet } from './parquet.ts';
import { encodeJson } from './parse-stored.ts';
import { planRun, type RunPlan } from './plan-run.ts';
import { readReuse, storeReuse, type ReuseEntry } from './reuse-table.ts';
import { completeKey, runDocumentKey } from './run-keys.ts';
import { exampleIndex, exampleRun } from './test-support/example-run.ts';

const { settings, weights, access, dataset } = exampleRun();
const DATASETS = [dataset, '/elsewhere'];
const signal = new AbortController().signal;

interface Listed {
  readonly key: string;
  /** Stands for content, date and size. */
  readonly version: number;
}
/** A run of long ago: its dataset, what it listed, and the versions that it failed on. */
interface Earlier {
  readonly dataset: string;
  readonly listed: readonly Listed[];
  readonly failedOn: number;
}

const infoOf = ({ key, version }: Listed) => ({
  key,
  sizeBytes: 100,
  etag: `${version}`,
  modifiedAt: new Date(0),
});

const listing = fc.uniqueArray(
  fc.record({
    key: fc.integer({ min: 0, max: 30 }).map((i) => `${i}.${i % 7 === 0 ? 'txt' : 'jpg'}`),
    version: fc.integer({ min: 1, max: 3 }),
  }),
  { selector: ({ key }) => key, minLength: 1 },
);
const earlierRun = fc.record({
  dataset: fc.constantFrom(...DATASETS),
  listed: listing,
  failedOn: fc.integer({ min: 3, max: 4 }),
});

test('what one pass over sorted lists finds is what looking up every key finds', async () => {
  await fc.assert(
    fc.asyncProperty(
      listing.filter((listed) => listed.some(({ key }) => key.endsWith('.jpg'))),
      fc.array(earlierRun, { maxLength: 3 }),
      fc.integer({ min: 0, max: 4 }),
      async (listed, earlier, grids) => {
        const folder = await mkdtemp(join(tmpdir(), 'filterscope-reuse-'));
        try {
          const output = openFolderStore(folder);
          for (const [i, run] of earlier.entries()) await storeEarlier(output, run, i);
          const plan = await planOf(listed, grids);
          const reuse = await findReuse(plan, { dataset, access, output }, signal);
          const expected = lookUp(plan, earlier);
          expect(reuse?.entries(0, plan.manifest.rows.length) ?? []).toEqual(expected.entries);
          expect(reuse?.unchanged ?? 0).toBe(expected.unchanged);
          if (!reuse) return;
          await storeReuse(output, plan.run, reuse, plan.manifest.rows.length, signal);
          const stored = await readReuse(output, plan.run, 1, 9, signal);
          expect(stored).toEqual(expected.entries.filter(({ row }) => row >= 1 && row < 9));
        } finally {
          await rm(folder, { recursive: true });
        }
      },
    ),
    { numRuns: 30 },
  );
});

async function planOf(listed: readonly Listed[], grids: number): Promise<RunPlan> {
  const selection = grids === 0 ? ('none' as const) : { first: grids };
  const content = { flavour: weights.flavour, synthetic: true, name: 'synthetic', layers: new Map() };
  const manifest = await manifestOf(listed.map(infoOf));
  return planRun(
    manifest,
    { ...settings, grids: selection },
    { content, bytes: new Uint8Array(), sha256: weights.sha256 },
  );
}

const idOf = (number: number) => `${number + 1}`.padStart(64, 'a');

/** Later numbers are newer runs. */
async function storeEarlier(
  output: ObjectStore,
  { dataset, listed, failedOn }: Earlier,
  number: number,
): Promise<void> {
  const run = idOf(number);
  const { rows } = await manifestOf(listed.map(infoOf));
  const key = `index/images/run=${run}/0.parquet`;
  const cells = Array.from(rows, ({ image, sizeBytes, etag, skip }, row) => {
    const status = skip ? 'skipped' : Number(etag) === failedOn ? 'failed' : 'ok';
    return { row, image, sizeBytes, etag, status };
  });
  await output.put(key, encodeParquet(imageColumns(settings.layers), cells));
  const createdAt = new Date(number * 1000).toISOString();
  await output.put(runDocumentKey(run), encodeJson(exampleRun({ run, dataset, createdAt })));
  await output.put(
    completeKey(run),
    encodeJson(exampleIndex({ run, tables: { ...exampleIndex().tables, images: [key] } })),
  );
}

const inOrder = (listed: readonly Listed[]) =>
  listed.map(({ key }) => key).toSorted((a, b) => orderOf(a).compare(orderOf(b)));

/** The naive way: for every row, every earlier run, those of the same dataset first, then the newest first. */
function lookUp({ manifest, gridRows }: RunPlan, earlier: readonly Earlier[]) {
  const runs = earlier
    .map((run, number) => ({ ...run, run: idOf(number), order: inOrder(run.listed) }))
    .toReversed()
    .toSorted((a, b) => Number(b.dataset === dataset) - Number(a.dataset === dataset));
  const entries: ReuseEntry[] = [];
  let unchanged = 0;
  for (const [row, { image, etag, skip }] of [...manifest.rows].entries()) {
    if (row < gridRows || skip !== null) continue;
    const found = runs.flatMap((run) => {
      const there = run.listed.find(({ key }) => key === image);
      if (!there || there.version === run.failedOn) return [];
      const same = run.dataset === dataset && `${there.version}` === etag;
      return [{ entry: { row, run: run.run, runRow: run.order.indexOf(image) }, same }];
    });
    const best = found.find(({ same }) => same) ?? found[0];
    if (!best) continue;
    entries.push(best.entry);
    if (best.same) unchanged++;
  }
  return { entries, unchanged };
}
