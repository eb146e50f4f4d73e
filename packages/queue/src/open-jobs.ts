import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { nameOf, parseName, parsePlace, runKey, type UnitJob, type RunPlace } from './job.ts';
import { openKey, RUNS_KEY } from './redis.ts';

/** Forgets a run without open jobs of which nobody asked anything since, in one step: a job may be added at any moment. */
const FINISH = `if redis.call('scard', KEYS[1]) == 0 and redis.call('hget', KEYS[2], ARGV[1]) == ARGV[2] then
  return redis.call('hdel', KEYS[2], ARGV[1]) end return 0`;

/** Which jobs of which runs are not done yet, in Redis: what the reconciler compares the queue with. */
export interface OpenJobs {
  /** Names at most a bulk of jobs. */
  readonly add: (place: RunPlace, jobs: readonly UnitJob[]) => Promise<void>;
  /** Names a run, with or without jobs, and changes its mark. */
  readonly note: (place: RunPlace) => Promise<void>;
  /** @returns how many jobs of the run are left */
  readonly settle: (place: RunPlace, job: UnitJob) => Promise<number>;
  /** Differs after each `add` and `note`; empty for a run that is not there. */
  readonly mark: (place: RunPlace) => Promise<string>;
  /** Lets go of a run that has no jobs and this mark. */
  readonly finish: (place: RunPlace, mark: string) => Promise<void>;
  readonly forget: (place: RunPlace) => Promise<void>;
  readonly count: (place: RunPlace) => Promise<number>;
  readonly jobs: (place: RunPlace) => Promise<UnitJob[]>;
  readonly runs: () => Promise<RunPlace[]>;
}

const keyOf = (place: RunPlace) => openKey(runKey(place));

export function openJobs(redis: Redis): OpenJobs {
  const note: OpenJobs['note'] = async ({ output, run }) => {
    const text = JSON.stringify({ output, run, mark: randomUUID() });
    await redis.hset(RUNS_KEY, runKey({ output, run }), text);
  };
  return {
    note,
    async add(place, jobs) {
      await redis.sadd(keyOf(place), ...jobs.map(nameOf));
      await note(place);
    },
    async settle(place, job) {
      await redis.srem(keyOf(place), nameOf(job));
      return redis.scard(keyOf(place));
    },
    mark: async (place) => (await redis.hget(RUNS_KEY, runKey(place))) ?? '',
    async finish(place, mark) {
      await redis.eval(FINISH, 2, keyOf(place), RUNS_KEY, runKey(place), mark);
    },
    async forget(place) {
      await redis.pipeline().del(keyOf(place)).hdel(RUNS_KEY, runKey(place)).exec();
    },
    count: (place) => redis.scard(keyOf(place)),
    async jobs(place) {
      const names = await redis.smembers(keyOf(place));
      return names.flatMap((name) => parseName(name) ?? []);
    },
    async runs() {
      const runs = Object.entries(await redis.hgetall(RUNS_KEY));
      return runs.flatMap(([key, text]) => {
        const place = parsePlace(text);
        return place && runKey(place) === key ? [place] : [];
      });
    },
  };
}
