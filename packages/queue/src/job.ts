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

/** A part of the pictures that crops are cut out of, after completion. */
export interface CropsJob {
  /** Of the index whose top lists they are. */
  readonly generation: string;
  readonly part: number;
}

/** What a run's jobs are, beside its completion. */
export type UnitJob = ChunkJob | CropsJob;
export const isCrops = (job: UnitJob): job is CropsJob => 'part' in job;

export type Job =
  | { readonly kind: 'chunk'; readonly place: RunPlace; readonly job: ChunkJob }
  | { readonly kind: 'crops'; readonly place: RunPlace; readonly job: CropsJob }
  | { readonly kind: 'complete'; readonly place: RunPlace };

const place = {
  output: z.string().min(1).max(2048).refine(leadsNowhereElse, 'leads elsewhere than it says'),
  run: z.string().regex(/^[0-9a-f]{64}$/),
};
const code = z.string().regex(/^[a-z][a-z-]{0,63}$/);
const completeData = z.strictObject({ v: z.literal(1), ...place });
const chunkData = completeData.extend({
  chunk: z.int().nonnegative(),
  revision: z.int().nonnegative().optional(),
  codes: z.array(code).nonempty().max(100).optional(),
});
const cropsData = completeData.extend({
  generation: z.string().regex(/^[0-9a-f]{16}$/),
  part: z.int().nonnegative(),
});
const notedPlace = z.object(place);
const CROPS_NAME = /^crops\/([0-9a-f]{16})\/(\d{1,16})$/;
const NAME = /^(\d{1,16})(?:\/(\d{1,16})\/([a-z-]+(?:,[a-z-]+)*)?)?$/;

/** No dot segments, however a URL may say them: a list of allowed outputs looks at beginnings only. */
function leadsNowhereElse(output: string): boolean {
  // URL parsers leave tabs and line breaks out, and read `\\` as `/`.
  if (/^file:.*\p{Cc}/isu.test(output)) return false;
  return !output.split(/[\\/]/).some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment));
}

/** What a job carries in Redis. No credentials, nothing that could be looked up in the output. */
export function jobData({ output, run }: RunPlace, job: UnitJob) {
  if (isCrops(job)) return { v: 1, output, run, generation: job.generation, part: job.part };
  const { chunk, revision, codes } = job;
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
  if (name === 'crops') {
    const { output, run, generation, part } = parse(cropsData, data);
    return { kind: 'crops', place: { output, run }, job: { generation, part } };
  }
  if (name !== 'chunk') throw badJob(`its name is ${JSON.stringify(name.slice(0, 80))}`);
  const { output, run, chunk, revision = 0, codes = null } = parse(chunkData, data);
  return { kind: 'chunk', place: { output, run }, job: { chunk, revision, codes } };
}

function parse<Schema extends z.ZodType>(schema: Schema, data: unknown): z.infer<Schema> {
  const result = schema.safeParse(data);
  if (result.success) return result.data;
  throw badJob(
    result.error.issues.map(({ path, message }) => `${path.join('.') || 'data'}: ${message}`).join('; '),
  );
}

function badJob(problems: string): FilterscopeError {
  return new FilterscopeError('bad-job', `the job is not one that this version knows (${problems})`);
}

/** Names a run in Redis: the same run below two outputs is two. */
export function runKey({ output, run }: RunPlace): string {
  return `r${createHash('sha256').update(`${output}\n${run}`).digest('hex').slice(0, 20)}`;
}

export const completionId = (place: RunPlace) => `${runKey(place)}-complete`;
export const jobId = (place: RunPlace, job: UnitJob) =>
  `${runKey(place)}-${nameOf(job).replaceAll('/', '-')}`;

/**
 * A job in short, unique within its run: `12` for a chunk's first pass, `12/1/` or `12/1/poison,truncated` for a retry,
 * `crops/<generation>/3`.
 */
export function nameOf(job: UnitJob): string {
  if (isCrops(job)) return `crops/${job.generation}/${job.part}`;
  const { chunk, revision, codes } = job;
  return revision === 0 ? String(chunk) : `${chunk}/${revision}/${codes?.join(',') ?? ''}`;
}

/** @returns undefined for what `nameOf` cannot have made */
export function parseName(name: string): UnitJob | undefined {
  const [, generation, part] = CROPS_NAME.exec(name) ?? [];
  if (generation !== undefined) return { generation, part: Number(part) };
  const [, chunk, revision = '0', codes = ''] = NAME.exec(name) ?? [];
  if (chunk === undefined) return undefined;
  return {
    chunk: Number(chunk),
    revision: Number(revision),
    codes: codes === '' ? null : codes.split(','),
  };
}

/** A run's place as JSON, from Redis. @returns undefined for anything else */
export function parsePlace(text: string): RunPlace | undefined {
  try {
    return notedPlace.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
