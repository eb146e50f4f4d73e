import { createHash } from 'node:crypto';
import { z } from 'zod';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';

/** A run and where it is: what the queue knows of it. */
export interface RunPlace {
  /** Output URL. */
  readonly output: string;
  readonly run: string;
}

/** One pass over one chunk: the unit of work. */
export interface ChunkJob {
  readonly chunk: number;
  /** 0 is the first pass. */
  readonly revision: number;
  /** Codes of the failed images that a retry redoes; null for all of them. */
  readonly codes: readonly string[] | null;
}

export type Job =
  | { readonly kind: 'chunk'; readonly place: RunPlace; readonly job: ChunkJob }
  | { readonly kind: 'complete'; readonly place: RunPlace };

const code = z.string().regex(/^[a-z][a-z-]{0,63}$/);
const place = {
  v: z.literal(1),
  output: z.string().min(1).max(2048),
  run: z.string().regex(/^[0-9a-f]{64}$/),
};
const chunkData = z.strictObject({
  ...place,
  chunk: z.int().nonnegative(),
  revision: z.int().nonnegative().optional(),
  codes: z.array(code).optional(),
});
const completeData = z.strictObject(place);

/** What a job carries in Redis. No credentials, nothing that could be looked up in the output. */
export function jobData({ output, run }: RunPlace, { chunk, revision, codes }: ChunkJob) {
  const retry = revision === 0 ? {} : { revision, ...(codes && { codes }) };
  return { v: 1, output, run, chunk, ...retry };
}

/**
 * A job as it came from Redis, checked.
 * @throws FilterscopeError `bad-job`.
 */
export function parseJob(name: string, data: unknown): Job {
  if (name === 'complete') {
    const { output, run } = parse(completeData, data);
    return { kind: 'complete', place: { output, run } };
  }
  const { output, run, chunk, revision = 0, codes = null } = parse(chunkData, data);
  return { kind: 'chunk', place: { output, run }, job: { chunk, revision, codes } };
}

function parse<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  const problems = result.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
  throw new FilterscopeError('bad-job', `the job is not one that this version knows (${problems})`);
}

/** Names a run in Redis: the same run below two outputs is two. */
export function runKey({ output, run }: RunPlace): string {
  return `r${createHash('sha256').update(`${output}\n${run}`).digest('hex').slice(0, 20)}`;
}

export const completionId = (place: RunPlace) => `${runKey(place)}-complete`;
export const jobId = (place: RunPlace, job: ChunkJob) =>
  `${runKey(place)}-${nameOf(job).replaceAll('/', '-')}`;

/** A chunk job in short, unique within its run: `12` for a first pass, `12/1/` or `12/1/poison,truncated` for a retry. */
export function nameOf({ chunk, revision, codes }: ChunkJob): string {
  return revision === 0 ? String(chunk) : `${chunk}/${revision}/${codes?.join(',') ?? ''}`;
}

export function parseName(name: string): ChunkJob {
  const [chunk, revision = '0', codes = ''] = name.split('/');
  return {
    chunk: Number(chunk),
    revision: Number(revision),
    codes: codes === '' ? null : codes.split(','),
  };
}
