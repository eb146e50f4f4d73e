/** What a producer looks at before it adds work. */
export interface QueueLoad {
  readonly usedBytes: number;
  /** 0 when Redis has no limit. */
  readonly maxBytes: number;
  /** Jobs that wait. */
  readonly backlog: number;
}

/** A full Redis stops everybody, workers included: a producer leaves room. */
const MEMORY_SHARE = 0.7;

/** Why no work is to be added now, for the person who waits; undefined when it may be. Pure. */
export function reasonToWait(
  { usedBytes, maxBytes, backlog }: QueueLoad,
  maxBacklog: number,
): string | undefined {
  if (maxBytes > 0 && usedBytes > MEMORY_SHARE * maxBytes) {
    const percent = Math.round((100 * usedBytes) / maxBytes);
    return `Redis has ${percent} % of its memory in use (work is added below ${100 * MEMORY_SHARE} %)`;
  }
  if (backlog >= maxBacklog) return `${backlog} jobs wait already (the limit is ${maxBacklog})`;
  return undefined;
}

/** Figures out of Redis' `INFO memory`. */
export function parseMemory(info: string): { usedBytes: number; maxBytes: number } {
  const figure = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  return { usedBytes: figure('used_memory'), maxBytes: figure('maxmemory') };
}
