import { Mutex } from 'async-mutex';
import type { z } from 'zod';
import type { Readings } from '@filterscope/statistics/readings';
import type { ChunkWork } from './carry-out-chunk.ts';
import { getObject, readChunkCommits, type Commit } from './commit.ts';
import { isSameDataset, isSameEngine, isUnchanged, unlessPermanent } from './find-reuse.ts';
import { imageRow } from './image-row.ts';
import type { ManifestRow } from './manifest-rows.ts';
import { decodeColumns, decodeParquet, rowReader } from './parquet.ts';
import { decodeReadings } from './readings-table.ts';
import { readReuse, type ReuseEntry } from './reuse-table.ts';
import { measuredLayers, readRunDocument } from './run-document.ts';

/** What is taken over of an image's row, and what tells whether it is the same. */
const earlierImage = imageRow.pick({
  row: true,
  image: true,
  status: true,
  sizeBytes: true,
  etag: true,
  sha256: true,
  width: true,
  height: true,
  format: true,
});
type EarlierImage = Readonly<z.infer<typeof earlierImage>>;

/** What an earlier run, with the same engine, found out about an image. */
export interface EarlierResult {
  readonly image: EarlierImage;
  /** Whether the image has not changed since; otherwise its SHA-256 has to tell. */
  readonly unchanged: boolean;
  /** Undefined where they are not there any more: the image is then computed. */
  readonly readings: () => Promise<Readings | undefined>;
}

/**
 * What can be taken over into rows of a chunk, by row. Every entry of the table of reuse is checked here against the runs as they
 * are now; one that does not hold is left out.
 * @param rows in rising order
 * @param entries the manifest's, from the first of them to the last
 */
export async function earlierResults(
  work: ChunkWork,
  rows: readonly number[],
  entries: readonly ManifestRow[],
): Promise<ReadonlyMap<number, EarlierResult>> {
  const { document, output, signal } = work;
  const results = new Map<number, EarlierResult>();
  if (document.reuse === null) return results;
  const [first] = rows;
  const found = await readReuse(output, document.run, first, first + entries.length, signal);
  const asked = new Set(rows);
  const wanted = found.filter(({ row }) => asked.has(row));
  const turn = new Mutex(); // one file of readings at a time is in memory
  for (const [run, ofRun] of Map.groupBy(wanted, (entry) => entry.run)) {
    const earlier = await unlessPermanent(readRunDocument(output, run, signal));
    if (!earlier) continue; // deleted since
    const sameDataset = isSameDataset(earlier, document);
    const byChunk = Map.groupBy(ofRun, ({ runRow }) => Math.floor(runRow / earlier.chunkSize));
    for (const [chunk, ofChunk] of byChunk) {
      for (const { commit, images } of await readCommitted(work, run, chunk)) {
        const readings = loadOnce(work, commit, ofChunk, turn);
        for (const { row, runRow } of ofChunk) {
          const image = images.get(runRow);
          const entry = entries[row - first];
          if (image?.image !== entry.image) continue;
          results.set(row, {
            image,
            unchanged: sameDataset && isUnchanged(entry, image),
            readings: async () => (await readings())?.get(runRow),
          });
        }
      }
    }
  }
  return results;
}

/** Those commits of an earlier run's chunk that the same engine made, with the images that are ok by row. */
async function readCommitted({ output, engine, signal }: ChunkWork, run: string, chunk: number) {
  const commits = (await unlessPermanent(readChunkCommits(output, run, chunk, signal))) ?? [];
  const committed: { commit: Commit; images: ReadonlyMap<number, EarlierImage> }[] = [];
  for (const commit of commits) {
    if (commit.readings === null || !isSameEngine(commit.engine, engine.identity)) continue;
    const bytes = await unlessPermanent(getObject(output, commit.images, signal));
    const rows = bytes ? decodeParquet(bytes) : [];
    const images = rows.flatMap((cells) => earlierImage.safeParse(cells).data ?? []);
    const ok = images.filter(({ status }) => status === 'ok');
    committed.push({ commit, images: new Map(ok.map((image) => [image.row, image])) });
  }
  return committed;
}

/** Reads a commit's readings of the wanted rows when they are first asked for, and keeps them. */
function loadOnce(
  { document, output, signal }: ChunkWork,
  { readings }: Commit,
  wanted: readonly ReuseEntry[],
  turn: Mutex,
): () => Promise<ReadonlyMap<number, Readings> | undefined> {
  const rows = new Set(wanted.map(({ runRow }) => runRow));
  const layers = measuredLayers(document);
  const load = async () => {
    const bytes = readings && (await unlessPermanent(getObject(output, readings, signal)));
    if (!bytes) return undefined;
    const loaded = new Map<number, Readings>();
    const table = decodeColumns(bytes);
    const cellsAt = rowReader(table);
    for (const [i, row] of [...table.getChild('row')!].entries())
      if (rows.has(row)) loaded.set(row, decodeReadings(layers, cellsAt(i)));
    return loaded;
  };
  let loaded: ReturnType<typeof load> | undefined;
  return () => (loaded ??= turn.runExclusive(load));
}
