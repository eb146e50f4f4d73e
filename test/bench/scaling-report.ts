import type { PlanningCost } from '../scale/plan-images.ts';
import type { AnalyzeComparison } from './compare-with-analyze.ts';
import { median } from './measure-stages.ts';
import type { WorkerScale } from './scale-workers.ts';

export interface ScalingMeasurements {
  readonly machine: string;
  readonly cores: number;
  /** Of the last minute, as the measurement began. */
  readonly load: number;
  readonly imageMs: number;
  readonly windowSeconds: number;
  readonly scales: readonly WorkerScale[];
  readonly comparison: AnalyzeComparison;
  readonly planning: { readonly images: number; readonly cost: PlanningCost };
}

/** Scaling is perfect within this. */
const TOLERANCE = 0.05;
/** Cores are what is missing when so much of them is in use. */
const SATURATED = 0.85;

/** The measurement of scaling as a page of Markdown. */
export function scalingReport(measured: ScalingMeasurements): string {
  const { machine, cores, load, imageMs, windowSeconds, scales, comparison, planning } = measured;
  const { analyze, workers, busyShare } = comparison;
  const { images, cost } = planning;
  const ratios = workers.map((rate, round) => rate / analyze[round]);
  const rows = scales.map((scale) => {
    const { workers, imagesPerSecond, busyShare, cores } = scale;
    const used = [cores.workers, cores.S3, cores.Redis, cores.machine].map((value) => value.toFixed(2));
    const [rate, each] = [imagesPerSecond.toFixed(1), (imagesPerSecond / workers).toFixed(2)];
    return `| ${[workers, rate, each, percent(shareOfOne(scale, scales)), percent(busyShare), ...used].join(' | ')} |`;
  });
  return `# Scaling

Written by \`npm run bench:scaling\` (\`node test/bench/scaling.ts\`) on: ${machine}. Load of the machine as it began: ${load.toFixed(1)}.

## Workers

An engine stub that takes ${imageMs} ms for an image, one image at a time, in place of the network: a little less than one thread of the real one takes. All else is real: worker
processes, the queue on Redis, images and results in S3 (radosgw), readings of all 4,224 filters, commits. Workers and servers share ${cores} cores, which a real engine
would fill by itself; the stub leaves them to the rest. Each line is what the workers' \`/metrics\` say over ${windowSeconds} s in full swing.

![Images a second and cores in use, by number of workers](images/scaling.svg)

| workers | images/s | a worker | of one worker's | engine busy | cores: workers | S3 | Redis | whole machine |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

${causeOf(scales, cores)}

## The real engine

${cores} cores, all thirteen layers, synthetic weights, photographs 500 pixels wide in S3, no grids: \`analyze\`'s scheduler with two engine threads in one process, and two \`filterscope worker
--threads 1\` with a queue. Both go on over ${analyze.length} rounds and are measured in turn, the other one held (SIGSTOP).

| | images/s, median | range |
|---|---|---|
| in-process | ${median(analyze).toFixed(2)} | ${range(analyze)} |
| two workers | ${median(workers).toFixed(2)} | ${range(workers)} |
| ratio | ${median(ratios).toFixed(3)} | ${range(ratios, 3)} |

The workers' engines are busy ${percent(median(busyShare))} of the time.

## Planning a million images

\`submit\` of a bucket of ${images.toLocaleString('en')} images (${cost.pages.toLocaleString('en')} pages of a listing; \`npx vitest run --project system test/scale/million-plan.test.ts\` holds it to its limits):

| | measured | limit |
|---|---|---|
| listed, planned and enqueued | ${cost.seconds.toFixed(0)} s | |
| memory of the producer, peak | ${(cost.producerBytes / 1e6).toFixed(0)} MB | 400 MB |
| in Redis, an image | ${cost.redisBytesAnImage.toFixed(1)} bytes | 20 bytes |
`;
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const range = (values: readonly number[], digits = 2) =>
  `${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)}`;
const coresUsed = ({ cores: { workers, S3, Redis } }: WorkerScale) => workers + S3 + Redis;

/** Images a second a worker, as a share of what the smallest number of workers reached. */
function shareOfOne(scale: WorkerScale, [one]: readonly WorkerScale[]): number {
  return scale.imagesPerSecond / scale.workers / (one.imagesPerSecond / one.workers);
}

/** Where scaling stops, and why. */
function causeOf(scales: readonly WorkerScale[], cores: number): string {
  const short = scales.find((scale) => shareOfOne(scale, scales) < 1 - TOLERANCE);
  const good = scales.filter((scale) => short === undefined || scale.workers < short.workers);
  const until = `Up to ${good.at(-1)!.workers} workers each does what one alone does, within ${100 * TOLERANCE} %.`;
  if (!short) return until;
  const cost = coresUsed(good.at(-1)!) / good.at(-1)!.imagesPerSecond;
  const [one] = scales;
  const most = cores / cost;
  const workers = Math.floor((most * one.workers) / one.imagesPerSecond);
  const limit = `An image costs ${(1000 * cost).toFixed(1)} ms of processor beside the engine, so that ${cores} cores carry at most ${most.toFixed(0)} images/s, which is ${workers} workers of this speed.`;
  const { machine } = short.cores;
  const others = machine - coresUsed(short);
  const cause =
    machine > SATURATED * cores
      ? `With ${short.workers} the cores are what is missing: ${machine.toFixed(2)} of ${cores} are in use, ${others.toFixed(2)} of them by what is no part of it. ${limit} On machines of their own, workers do not share them.`
      : `With ${short.workers} they do less, though only ${machine.toFixed(2)} of ${cores} cores are in use: what they wait for is not the processor. ${limit}`;
  return `${until} ${cause}`;
}
