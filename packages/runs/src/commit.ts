import { createHash } from 'node:crypto';
import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { encodeJson, parseStored } from './parse-stored.ts';
import { chunkCommitsFolder, commitKey, commitsFolder, parseCommitKey } from './run-keys.ts';

const storedObject = z.object({ key: z.string(), sizeBytes: z.int(), sha256: z.string() });
/** An object that a commit vouches for. */
export type StoredObject = Readonly<z.infer<typeof storedObject>>;

const commit = z.object({
  v: z.literal(1),
  run: z.string(),
  chunk: z.int().nonnegative(),
  /** 0 is the first pass; each `retry` adds one. */
  revision: z.int().nonnegative(),
  attempt: z.string(),
  /** Rows that this revision speaks for, of which it replaces what earlier revisions said. */
  rows: z.int().positive(),
  ok: z.int().nonnegative(),
  failed: z.int().nonnegative(),
  skipped: z.int().nonnegative(),
  /** Of those that are ok: taken from an earlier run. */
  reused: z.int().nonnegative().default(0),
  engine: z.object({ name: z.string(), version: z.string(), processor: z.string() }),
  startedAt: z.iso.datetime(),
  committedAt: z.iso.datetime(),
  /** Seconds of work by stage, summed over the images. */
  stageSeconds: z.record(z.string(), z.number()),
  /** What the attempt wrote; grids lie beside them under names that follow from row and layer. */
  folder: z.string(),
  images: storedObject,
  accumulators: storedObject,
  /** Null when the run keeps no readings or no image was ok. */
  readings: storedObject.nullable(),
});
/** The small object that makes a chunk's results visible. */
export type Commit = Readonly<z.infer<typeof commit>>;

/** How many failed images a commit adds to its run: a retry takes off those that it redid, all of which had failed. */
export const failuresAdded = ({ revision, failed, rows }: Commit): number =>
  revision === 0 ? failed : failed - rows;

/**
 * Makes an attempt's results the chunk's. Where the answer to the put is lost, the store is asked whose commit is there.
 * @returns false when another attempt was first.
 * @throws the store's error when it shows no commit. Unless {@link isRefusal}, this one may still arrive, so that what it
 * names must stay.
 */
export async function putCommit(output: ObjectStore, value: Commit): Promise<boolean> {
  const key = commitKey(value.run, value.chunk, value.revision);
  try {
    // Not to be aborted: whether it was stored would not be known.
    return await output.put(key, encodeJson(value), { ifAbsent: true, contentType: 'application/json' });
  } catch (error) {
    const there = await readCommit(output, key).catch(() => undefined);
    if (!there) throw error;
    return there.attempt === value.attempt;
  }
}

/** Whether an error of a put says that nothing was stored. */
export function isRefusal(error: unknown): boolean {
  return error instanceof FilterscopeError && (error.class === 'permanent' || error.code === 'store-full');
}

/** Which commit: of which chunk, and of which pass over it. */
export interface CommitName {
  readonly chunk: number;
  readonly revision: number;
}

/** Chunk and revision of every commit of a run, in that order, without reading them. */
export async function listCommits(
  output: ObjectStore,
  run: string,
  signal?: AbortSignal,
): Promise<CommitName[]> {
  return listCommitsIn(output, commitsFolder(run), signal);
}

async function listCommitsIn(
  output: ObjectStore,
  folder: string,
  signal?: AbortSignal,
): Promise<CommitName[]> {
  const commits: CommitName[] = [];
  for await (const { key } of output.list(folder, signal)) {
    const name = parseCommitKey(key);
    if (name) commits.push(name);
  }
  return commits.toSorted((a, b) => a.chunk - b.chunk || a.revision - b.revision);
}

const READS_AT_A_TIME = 16;

/** Every commit of a run, in order of chunk and revision. */
export async function* readCommits(
  output: ObjectStore,
  run: string,
  signal?: AbortSignal,
): AsyncGenerator<Commit> {
  yield* readNamed(output, run, await listCommits(output, run, signal), signal);
}

/** Every commit of one chunk, in order of revision. */
export async function readChunkCommits(
  output: ObjectStore,
  run: string,
  chunk: number,
  signal?: AbortSignal,
): Promise<Commit[]> {
  const names = await listCommitsIn(output, chunkCommitsFolder(run, chunk), signal);
  return Array.fromAsync(readNamed(output, run, names, signal));
}

/** The commits of these names, in their order. */
export async function* readNamed(
  output: ObjectStore,
  run: string,
  names: readonly CommitName[],
  signal?: AbortSignal,
): AsyncGenerator<Commit> {
  for (let i = 0; i < names.length; i += READS_AT_A_TIME) {
    yield* await Promise.all(
      names.slice(i, i + READS_AT_A_TIME).map(async ({ chunk, revision }) => {
        return readCommit(output, commitKey(run, chunk, revision), signal);
      }),
    );
  }
}

/**
 * The first passes of a run from `chunk` on, up to the first chunk that has none. More and more of them are read at a time, as
 * long as there are any: mostly there is not even one.
 */
export async function* readFirstPasses(
  output: ObjectStore,
  run: string,
  chunk: number,
  chunks: number,
  signal?: AbortSignal,
): AsyncGenerator<Commit> {
  for (let next = chunk, ahead = 1; next < chunks; ahead = Math.min(2 * ahead, READS_AT_A_TIME)) {
    const keys = Array.from({ length: Math.min(ahead, chunks - next) }, (_, i) =>
      commitKey(run, next + i, 0),
    );
    const commits = await Promise.all(
      keys.map((key) => readCommit(output, key, signal).catch(unlessMissing)),
    );
    for (const commit of commits) {
      if (!commit) return;
      yield commit;
    }
    next += keys.length;
  }
}

function unlessMissing(error: unknown): undefined {
  if (error instanceof FilterscopeError && error.code === 'object-missing') return undefined;
  throw error;
}

async function readCommit(output: ObjectStore, key: string, signal?: AbortSignal): Promise<Commit> {
  const { bytes } = await output.get(key, undefined, signal);
  return parseStored(commit, bytes, `${output.url}/${key}`);
}

/** Stores an object and says what a commit has to know of it. */
export async function putObject(
  output: ObjectStore,
  key: string,
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<StoredObject> {
  await output.put(key, bytes, signal ? { signal } : {});
  return { key, sizeBytes: bytes.length, sha256: sha256(bytes) };
}

/** @throws FilterscopeError `broken-object` when the bytes are not those that were committed. */
export async function getObject(
  output: ObjectStore,
  object: StoredObject,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { bytes } = await output.get(object.key, undefined, signal);
  if (bytes.length === object.sizeBytes && sha256(bytes) === object.sha256) return bytes;
  throw new FilterscopeError(
    'broken-object',
    `${output.url}/${object.key} is not what was committed (its SHA-256 differs); delete the run and start it again`,
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
