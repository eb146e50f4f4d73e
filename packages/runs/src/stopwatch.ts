export const STAGES = ['fetch', 'decode', 'forward', 'encode', 'put'] as const;
export type Stage = (typeof STAGES)[number];

/** Adds up how long each stage of the work took, over all images; stages of different images overlap. */
export interface Stopwatch {
  /** Waits for `work` and adds the time until it settles to `stage`. */
  time<Result>(stage: Stage, work: Promise<Result>): Promise<Result>;
  seconds(): Record<Stage, number>;
}

export function createStopwatch(): Stopwatch {
  const totalMs: Record<Stage, number> = { fetch: 0, decode: 0, forward: 0, encode: 0, put: 0 };
  return {
    async time(stage, work) {
      const start = performance.now();
      try {
        return await work;
      } finally {
        totalMs[stage] += performance.now() - start;
      }
    },
    seconds: () => {
      const round = (stage: Stage) => Math.round(totalMs[stage]) / 1000;
      return {
        fetch: round('fetch'),
        decode: round('decode'),
        forward: round('forward'),
        encode: round('encode'),
        put: round('put'),
      };
    },
  };
}
