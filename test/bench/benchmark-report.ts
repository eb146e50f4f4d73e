import type { Stages } from './measure-stages.ts';
import { median } from './measure-stages.ts';

type Way = 'direct' | 'forward' | 'readings' | 'grids';

export interface Measurements {
  readonly machine: string;
  readonly images: number;
  readonly rounds: number;
  /** Images a second, a value a round. */
  readonly throughput: Readonly<Record<Way, number[]>>;
  readonly stages: Stages;
  /** Peak resident memory, MB. */
  readonly memory: { readonly readings: number; readonly grids: number };
}

/** The benchmark as a page of Markdown. */
export function benchmarkReport({
  machine,
  images,
  rounds,
  throughput,
  stages,
  memory,
}: Measurements): string {
  const ratio = (way: Way, base: Way) =>
    median(throughput[way].map((perSecond, round) => perSecond / throughput[base][round])).toFixed(3);
  const row = (name: string, way: Way) =>
    `| ${name} | ${median(throughput[way]).toFixed(2)} | ${spread(throughput[way])} | ${ratio(way, 'forward')} | ${ratio(way, 'direct')} |`;
  const { decode, forward, readings, tiles, accumulate, table, encode } = stages;
  const withoutGrids = decode + forward + readings + accumulate + table;
  const withGrids = withoutGrids + tiles + encode;
  const stage = (name: string, ms: number) =>
    `| ${name} | ${ms.toFixed(1)} | ${((100 * ms) / withGrids).toFixed(1)} % |`;
  return `# Benchmark

Written by \`npm run bench\` on: ${machine}.

The whole pipeline (fetch, decode, readings, commit; with \`--grids all\` also thirteen JPEGs an image) against as many threads doing
nothing but the forward pass to block5_pool on pictures decoded beforehand. ${images} photographs 500 pixels wide, ${rounds} rounds, the four
ways in turn in each round; ratios are medians of the rounds' own ratios.

| | images/s, median | range | ratio to our forward pass | to ONNX Runtime's own convolution |
|---|---|---|---|---|
${row("forward pass alone, ONNX Runtime's own convolution", 'direct')}
${row('forward pass alone, as the engine does it', 'forward')}
${row('pipeline without grids', 'readings')}
${row('pipeline with all grids', 'grids')}

Peak memory of \`filterscope analyze\`: ${memory.readings.toFixed(0)} MB without grids, ${memory.grids.toFixed(0)} MB with all grids.

## Where the time goes

Milliseconds of one core an image, each stage by itself. Every core is busy in the pipeline, so that what is not the forward pass
bounds the ratio: at most ${(forward / withoutGrids).toFixed(3)} without grids and ${(forward / withGrids).toFixed(3)} with all of them.

| stage | ms | share |
|---|---|---|
${stage('decode and fit', decode)}
${stage('forward pass', forward)}
${stage('readings in the graph', readings)}
${stage('uint8 tiles in the graph', tiles)}
${stage('accumulate', accumulate)}
${stage('table of readings', table)}
${stage('encode thirteen JPEGs', encode)}
`;
}

function spread(values: readonly number[]): string {
  return `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`;
}
