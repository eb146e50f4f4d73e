export const STAGES = ['fetch', 'decode', 'forward', 'encode', 'put'] as const;
export type Stage = (typeof STAGES)[number];

/** Adds up how long each stage of the work took, over all images; stages of different images overlap. */
export interface Stopwatch {
  /** Waits for `work` and adds the time until it settles to `stage`. */
  time<Result>(stage: Stage, work: Promise<Result>): Promise<Result>;
  seconds(): Record<Stage, number>;
}

export function createStopwatch(): Stopwatch {
  const totalMs = mapStages(() => 0);
  return {
    async time(stage, work) {
      const start = performance.now();
      try {
        return await work;
      } finally {
        totalMs[stage] += performance.now() - start;
      }
    },
    seconds: () => mapStages((stage) => Math.round(totalMs[stage]) / 1000),
  };
}

function mapStages(value: (stage: Stage) => number): Record<Stage, number> {
  return {
    fetch: value('fetch'),
    decode: value('decode'),
    forward: value('forward'),
    encode: value('encode'),
    put: value('put'),
  };
}
