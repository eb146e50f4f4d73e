/** Where things lie below the output URL. Every name follows from what it names. */

const padded = (number: number) => String(number).padStart(7, '0');

export const weightsKey = (sha256: string) => `weights/${sha256}.safetensors`;

export const RUNS = 'runs/';
export const runFolder = (run: string) => `runs/${run}/`;
export const runDocumentKey = (run: string) => `runs/${run}/run.json`;
export const completeKey = (run: string) => `runs/${run}/complete.json`;
export const cancelledKey = (run: string) => `runs/${run}/cancelled.json`;
export const stoppedKey = (run: string) => `runs/${run}/failed.json`;
export const failureLimitKey = (run: string) => `runs/${run}/max-failures.json`;
export const precisionKey = (run: string) => `runs/${run}/precision-reached.json`;
export const scalesKey = (run: string) => `runs/${run}/scales.json`;
export const manifestFolder = (run: string) => `runs/${run}/manifest/`;
export const manifestPartKey = (run: string, part: number) => `${manifestFolder(run)}${padded(part)}.parquet`;
export const reusePartKey = (run: string, part: number) => `runs/${run}/reuse/${padded(part)}.parquet`;
export const mergedKey = (run: string, generation: string) =>
  `runs/${run}/merged/${generation}.safetensors.zst`;

export const chunksFolder = (run: string) => `runs/${run}/chunks/`;
export const attemptFolder = (run: string, chunk: number, attempt: string) =>
  `runs/${run}/chunks/${padded(chunk)}/${attempt}/`;
/** @param extension `jpg` or `png` */
export const gridKey = (folder: string, row: number, layer: string, extension: string) =>
  `${folder}grids/${padded(row)}/${layer}.${extension}`;
/** Grids drawn for a question after the run: a cache that may go at any time. */
export const drawnFolder = (run: string) => `runs/${run}/drawn/`;

/** Images as the network saw them, those that crops are cut out of. */
export const picturesFolder = (run: string) => `runs/${run}/pictures/`;
export const pictureKey = (run: string, row: number) => `${picturesFolder(run)}${padded(row)}.webp`;

/** What became of the pictures, a part of the manifest each. */
export const cropsFolder = (run: string) => `runs/${run}/crops/`;
export const cropPartsFolder = (run: string, generation: string) => `${cropsFolder(run)}${generation}/`;
export const cropPartKey = (run: string, generation: string, part: number) =>
  `${cropPartsFolder(run, generation)}${padded(part)}.json`;

export const commitsFolder = (run: string) => `runs/${run}/commits/`;
export const chunkCommitsFolder = (run: string, chunk: number) => `runs/${run}/commits/${padded(chunk)}/`;
export const commitKey = (run: string, chunk: number, revision: number) =>
  `${chunkCommitsFolder(run, chunk)}${revision}.json`;
/** @returns undefined for a key that names no commit. */
export function parseCommitKey(key: string): { chunk: number; revision: number } | undefined {
  const match = /\/commits\/(\d+)\/(\d+)\.json$/.exec(key);
  return match ? { chunk: Number(match[1]), revision: Number(match[2]) } : undefined;
}

/** The tables of the results index. */
export const INDEX_TABLES = ['runs', 'layers', 'filters', 'images', 'readings'] as const;
export type IndexTable = (typeof INDEX_TABLES)[number];
export const indexFolder = (table: IndexTable, run: string) => `index/${table}/run=${run}/`;
export const readingsKey = (run: string, chunk: number, revision: number) =>
  `${indexFolder('readings', run)}${padded(chunk)}-${revision}.parquet`;
/** The chunk whose readings an object holds, be it the index's or an attempt's; undefined for a key of another kind. */
export function chunkOfReadings(key: string): number | undefined {
  const match = /^(?:index\/readings\/run=[^/]+|runs\/[^/]+\/chunks)\/(\d+)[-/]/.exec(key);
  return match ? Number(match[1]) : undefined;
}
