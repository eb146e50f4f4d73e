import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { ChunkJournal } from '@filterscope/runs/journal';
import { journalKey } from './redis.ts';

/** A journal nobody asked about for so long is of no use. */
const KEPT_SECONDS = 7 * 24 * 3600;

/**
 * The journal of one attempt at a job: a hash whose fields are `<attempt>/<row>`. An attempt that lives on puts down its own
 * fields, however late; those of a dead one stay and accuse.
 * @param redis of manner `hasty`: a journal that cannot be written costs a suspicion, not the work
 */
export function redisJournal(redis: Redis, job: string): ChunkJournal {
  const key = journalKey(job);
  const attempt = randomUUID();
  return {
    async suspects() {
      const fields = await redis.hkeys(key).catch(() => []);
      const deaths = new Map<number, number>();
      for (const field of fields) {
        const [holder, row] = field.split('/');
        if (holder !== attempt) deaths.set(Number(row), (deaths.get(Number(row)) ?? 0) + 1);
      }
      return deaths;
    },
    async takeUp(row) {
      await redis
        .pipeline()
        .hset(key, `${attempt}/${row}`, '')
        .expire(key, KEPT_SECONDS)
        .exec()
        .catch(() => undefined);
    },
    async putDown(row) {
      await redis.hdel(key, `${attempt}/${row}`).catch(() => undefined);
    },
    async acquit(row) {
      const fields = await redis.hkeys(key).catch(() => []);
      const accusing = fields.filter((field) => field.endsWith(`/${row}`));
      if (accusing.length > 0) await redis.hdel(key, ...accusing).catch(() => undefined);
    },
  };
}
