import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DuckDBInstance,
  DuckDBListVector,
  type DuckDBConnection,
  type DuckDBDataChunk,
  type DuckDBVector,
} from '@duckdb/node-api';
import { chunkOfReadings } from '@filterscope/runs/run-keys';
import { settleAll } from '@filterscope/runs/settle-all';
import { addPairs, createPairedSums, type PairedSums } from '@filterscope/statistics/paired-sums';
import { filterCount, type LayerShape } from '@filterscope/statistics/readings';
import type { Results } from './open-results.ts';
import { localFiles, parquet } from './local-parquet.ts';

/** Images that two runs have in common, by their rows in each, in the order of the first run's manifest. */
export interface Pairs {
  readonly rowsA: Int32Array;
  readonly rowsB: Int32Array;
}

/** Reads two runs side by side. Where one of them counts identical images once, they are paired once. */
export interface PairReader extends AsyncDisposable {
  /**
   * Images that are ok in both: of runs of one manifest those of the same row, of others those of the same content, of several copies the first
   * with the first.
   * @param limit the first so many of the first run, or `Infinity`; there may be more
   */
  pairs(limit: number): Promise<Pairs>;
  /** Sums over these pairs. Takes the memory of some thousand of them, however many they are. */
  sum(pairs: Pairs, layers: readonly LayerShape[]): Promise<PairedSums>;
}

/** Pairs whose zeros are read at a time: 35 MB a run for the whole network, and the next ones while these are added. */
const BLOCK = 4096;

/** Opens DuckDB, which reads single columns of many files at once. */
export async function openPairReader(a: Results, b: Results, signal?: AbortSignal): Promise<PairReader> {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-compare-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  /** For the second run: a connection streams one result at a time. */
  const beside = await instance.connect();
  const images = async ({ tables, index }: Results, name: string) =>
    parquet(await localFiles(tables, index.tables.images, join(folder, name), signal));

  const pairsOf = async (sql: string): Promise<Pairs> => {
    const rows: number[][] = [[], []];
    for await (const chunk of chunks(connection, sql, signal)) {
      for (const column of [0, 1]) for (const row of integers(chunk, column)) rows[column].push(row);
    }
    return { rowsA: Int32Array.from(rows[0]), rowsB: Int32Array.from(rows[1]) };
  };

  const once = [a, b].some(({ document }) => document.settings.countDuplicates === 'once');

  return {
    async pairs(limit) {
      const [inA, inB] = [await images(a, 'a'), await images(b, 'b')];
      const common = a.document.manifest.digest === b.document.manifest.digest ? sameRows : sameContent;
      const { rows } = a.document.manifest;
      const atMost = limit === Infinity ? '' : `LIMIT ${limit}`;
      const first = async (end: number) => pairsOf(`${common(inA, inB, end, once)} ORDER BY a.row ${atMost}`);
      // A manifest's beginning is a fair sample: mostly it has as many as are asked for, and the rest is not read.
      const end = Math.min(rows, 2 * limit);
      const pairs = await first(end);
      return pairs.rowsA.length === limit || end === rows ? pairs : first(rows);
    },
    async sum({ rowsA, rowsB }, layers) {
      const sums = createPairedSums(layers);
      const read = (start: number) => {
        const end = start + BLOCK;
        return settleAll([
          readZeros(connection, a, layers, rowsA.subarray(start, end), signal),
          readZeros(beside, b, layers, rowsB.subarray(start, end), signal),
        ]);
      };
      let next = read(0);
      try {
        for (let start = BLOCK; ; start += BLOCK) {
          const [zerosA, zerosB] = await next;
          const last = start >= rowsA.length;
          if (!last) next = read(start);
          addPairs(sums, zerosA, zerosB);
          if (last) return sums;
        }
      } finally {
        await next.catch(() => undefined); // connections are closed only when nothing is read
      }
    },
    async [Symbol.asyncDispose]() {
      connection.closeSync();
      beside.closeSync();
      instance.closeSync();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Pairs of rows among the first `end` of A, as a query of `a.row, b.row`.
 * @param once identical images of a run are paired once
 */
type CommonRows = (inA: string, inB: string, end: number, once: boolean) => string;

const sameRows: CommonRows = (inA, inB, end, once) =>
  `SELECT a.row, b.row FROM ${inA} a JOIN ${inB} b USING (row, sha256)
   WHERE a.row < ${end} AND b.row < ${end} AND a.status = 'ok' AND b.status = 'ok' ${once ? 'AND a.duplicateOf IS NULL' : ''}`;

/** Which copy of its content a row is depends on the rows before it alone: no others have to be looked at. */
const sameContent: CommonRows = (inA, inB, end, once) => {
  const copy = 'row_number() OVER (PARTITION BY sha256 ORDER BY row) AS copy';
  return `WITH a AS (SELECT row, sha256, ${copy} FROM ${inA} WHERE status = 'ok' AND row < ${end}),
   b AS (SELECT row, sha256, ${copy} FROM ${inB} WHERE status = 'ok' AND sha256 IN (SELECT sha256 FROM a))
   SELECT a.row, b.row FROM a JOIN b USING (sha256, copy) ${once ? 'WHERE copy = 1' : ''}`;
};

/**
 * Zeros of these rows of a run `[row, filter]`, the layers one after the other.
 * @throws RangeError when a row has no readings.
 */
async function readZeros(
  connection: DuckDBConnection,
  { document, index, output }: Results,
  layers: readonly LayerShape[],
  rows: Int32Array,
  signal?: AbortSignal,
): Promise<Uint16Array> {
  const wanted = new Set(Array.from(rows, (row) => Math.floor(row / document.chunkSize)));
  const keys = index.tables.readings.filter((key) => {
    const chunk = chunkOfReadings(key);
    return chunk === undefined || wanted.has(chunk);
  });
  const filters = filterCount(layers);
  const zeros = new Uint16Array(rows.length * filters);
  const places = new Map(Array.from(rows, (row, i) => [row, i]));
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-readings-'));
  try {
    const from = parquet(await localFiles(output, keys, folder, signal));
    const columns = layers.map(({ layer }) => `${layer}_zeros`).join(', ');
    const range = `row BETWEEN ${least(rows)} AND ${-least(rows.map((row) => -row))}`;
    for await (const chunk of chunks(
      connection,
      `SELECT row, ${columns} FROM ${from} WHERE ${range}`,
      signal,
    )) {
      const inChunk = integers(chunk, 0);
      let offset = 0;
      for (const [layer, { layer: name, filters: count }] of layers.entries()) {
        const lists = chunk.getColumnVector(layer + 1);
        if (!(lists instanceof DuckDBListVector))
          throw new RangeError(`the readings of ${name} are no lists`);
        const items = numbersOf(lists.childVector, Uint16Array);
        for (const [i, row] of inChunk.entries()) {
          const place = places.get(row);
          if (place === undefined) continue;
          if (lists.getEntryLength(i) !== count)
            throw new RangeError(`row ${row} has no ${count} readings of ${name}`);
          const at = lists.getEntryOffset(i);
          zeros.set(items.subarray(at, at + count), place * filters + offset);
        }
        offset += count;
      }
      for (const row of inChunk) places.delete(row);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  if (places.size === 0) return zeros;
  const [row] = places.keys();
  throw new RangeError(`run ${document.run} has no readings of row ${row}, which is ok`);
}

async function* chunks(
  connection: DuckDBConnection,
  sql: string,
  signal?: AbortSignal,
): AsyncGenerator<DuckDBDataChunk> {
  const result = await connection.stream(sql);
  for (;;) {
    signal?.throwIfAborted();
    const chunk = await result.fetchChunk();
    if (!chunk || chunk.rowCount === 0) return;
    yield chunk;
  }
}

const integers = (chunk: DuckDBDataChunk, column: number) =>
  numbersOf(chunk.getColumnVector(column), Int32Array);

/** The memory of a vector without nulls. Its own methods take a call for each of the forty million numbers that there are. */
function numbersOf<Numbers>(vector: DuckDBVector, Type: abstract new (...args: never) => Numbers): Numbers {
  const items: unknown = Reflect.get(vector, 'items');
  if (items instanceof Type) return items;
  throw new RangeError(`a column holds no ${Type.name}`);
}

function least(values: Int32Array): number {
  return values.reduce((a, b) => Math.min(a, b));
}
