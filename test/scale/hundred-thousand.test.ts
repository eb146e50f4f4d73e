import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LAYERS } from '@filterscope/vgg16/layers';
import { describe, expect, test } from 'vitest';
import type { Progress } from './analyse-with-stub.ts';
import { makeTinyImages } from './tiny-images.ts';

const run = promisify(execFile);
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const MB = 1e6;
const FULL_IMAGES = 100_000;
/** What the readings, 4,224 filters of 12 bytes an image, take at most, and as much again to be safe. */
const FULL_BYTES = 2 * FULL_IMAGES * 4224 * 12;
const MINUTE_MS = 60_000;
/** Otherwise V8's young space grows to 100 MB, where typed arrays that nobody needs any more wait to be freed. */
const YOUNG_SPACE = '--max-semi-space-size=4';

const free = await statfs(tmpdir());
const reason =
  process.env['FILTERSCOPE_TEST'] !== 'full'
    ? 'it takes a quarter of an hour; FILTERSCOPE_TEST=full runs it'
    : free.bavail * free.bsize < FULL_BYTES
      ? `${tmpdir()} has less than ${(FULL_BYTES / 1e9).toFixed(0)} GB free`
      : undefined;
if (reason !== undefined) console.log(`skipped: a run over ${FULL_IMAGES} images: ${reason}`);

describe('a run over many images, with a stub engine', () => {
  test('2,000 images: planned at once, in less than 500 MB, and asked', { timeout: MINUTE_MS }, () =>
    runOver(2000, async (measured) => {
      expect(measured.planSeconds).toBeLessThan(5);
      expectSmall(measured);
    }),
  );

  test(
    '2,000 images that become 2,100: 100 are computed, in less than 500 MB',
    { timeout: 3 * MINUTE_MS },
    async () => {
      const folder = await mkdtemp(join(tmpdir(), 'filterscope-scale-'));
      const [dataset, output] = [join(folder, 'dataset'), join(folder, 'output')];
      try {
        await makeTinyImages(dataset, 2000);
        const before = completeOf(await analyse(dataset, output));
        await makeTinyImages(dataset, 2100, { from: 2000 });
        const after = completeOf(await analyse(dataset, output));
        expect([after.ok, after.reused]).toEqual([2100, 2000]);
        expect(after.peakBytes).toBeLessThan(500 * MB);
        console.log(
          `2000 images in ${seconds(before.chunksSeconds)}; 2100 with 2000 taken from there in ` +
            `${seconds(after.chunksSeconds)}; peak ${(after.peakBytes / MB).toFixed(0)} MB`,
        );
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );

  test.skipIf(reason !== undefined)(
    '100,000 images: planned within a minute, carried out in less than 500 MB, no growth from image 20,000 on, completed in less than 1 GB',
    { timeout: 45 * MINUTE_MS },
    () =>
      runOver(FULL_IMAGES, async (measured) => {
        expect(measured.planSeconds).toBeLessThan(60);
        expect(measured.layersSeconds).toBeLessThan(1);
        expectWhole(measured);
        expect(measured.peakBytes).toBeLessThan(1000 * MB); // each thread that merges chunks has sums of its own
        const windows = [20, 40, 60, 80].map((from) =>
          medianRss(measured.samples, from * 1000, (from + 20) * 1000),
        );
        // Within a tenth: freed memory goes back to the system in steps.
        expect(Math.max(...windows)).toBeLessThan(1.1 * windows[0]);
        expect(Math.max(...windows)).toBeLessThan(500 * MB);
      }),
  );
});

interface Measured {
  readonly images: number;
  readonly planSeconds: number;
  readonly chunksSeconds: number;
  readonly indexSeconds: number;
  readonly peakBytes: number;
  /** Median of three. */
  readonly layersSeconds: number;
  readonly layersRows: readonly { readonly layer: string; readonly images: number }[];
  readonly samples: readonly Sample[];
}
type Sample = Extract<Progress, { kind: 'at' }>;

function expectSmall(measured: Measured): void {
  expect(measured.peakBytes).toBeLessThan(500 * MB);
  expectWhole(measured);
}

function expectWhole({ images, layersRows }: Measured): void {
  expect(layersRows.map(({ layer }) => layer)).toEqual(LAYERS.map(({ layer }) => layer));
  expect(new Set(layersRows.map((row) => row.images))).toEqual(new Set([images]));
}

async function runOver(images: number, check: (measured: Measured) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'filterscope-scale-'));
  try {
    await makeTinyImages(join(folder, 'dataset'), images);
    const measured = await measure(images, join(folder, 'dataset'), join(folder, 'output'));
    console.log(reportOf(measured));
    await check(measured);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(images: number, dataset: string, output: string): Promise<Measured> {
  const said = await analyse(dataset, output);
  const planned = said.find((line) => line.kind === 'planned');
  const complete = completeOf(said);
  if (planned === undefined) throw new Error('the run did not begin');
  expect(complete.ok).toBe(images);
  const asked = [];
  for (let i = 0; i < 3; i++) asked.push(await askLayers(output));
  return {
    images,
    planSeconds: planned.seconds,
    chunksSeconds: complete.chunksSeconds,
    indexSeconds: complete.indexSeconds,
    peakBytes: complete.peakBytes,
    layersSeconds: median(asked.map(({ seconds }) => seconds)),
    layersRows: asked[0].rows,
    samples: said.filter((line) => line.kind === 'at'),
  };
}

function completeOf(said: readonly Progress[]) {
  const complete = said.find((line) => line.kind === 'complete');
  if (complete === undefined) throw new Error('the run did not end');
  return complete;
}

async function analyse(dataset: string, output: string): Promise<Progress[]> {
  const child = spawn(process.execPath, [YOUNG_SPACE, path('analyse-with-stub.ts'), dataset, output], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, MALLOC_MMAP_THRESHOLD_: '1048576' }, // as apps/cli/bin/filterscope.mjs has it
  });
  const exit = Promise.withResolvers<number | null>();
  child.on('error', exit.reject);
  child.on('exit', exit.resolve);
  const said: Progress[] = [];
  for await (const line of createInterface(child.stdout)) said.push(JSON.parse(line) as Progress);
  expect(await exit.promise).toBe(0);
  return said;
}

async function askLayers(output: string) {
  const command = path('../../apps/cli/bin/filterscope.mjs');
  const started = performance.now();
  const { stdout } = await run(process.execPath, [command, 'layers', 'latest', '--output', output, '--json']);
  const seconds = (performance.now() - started) / 1000;
  return { seconds, rows: JSON.parse(stdout) as Measured['layersRows'] };
}

const seconds = (value: number) => `${value.toFixed(2)} s`;

function reportOf(measured: Measured): string {
  const { images, planSeconds, chunksSeconds, indexSeconds, peakBytes, layersSeconds, samples } = measured;
  const lines = [
    `${images} images: planned in ${seconds(planSeconds)}, carried out in ${seconds(chunksSeconds)} ` +
      `(${(images / chunksSeconds).toFixed(0)} images/s), indexed in ${seconds(indexSeconds)}; ` +
      `"layers --json" in ${seconds(layersSeconds)}; peak ${(peakBytes / MB).toFixed(0)} MB`,
  ];
  const step = images / 10;
  for (let from = 0; from < images; from += step) {
    const rss = medianRss(samples, from, from + step);
    lines.push(
      `  images ${String(from).padStart(6)} … ${String(from + step).padStart(6)}: ${(rss / MB).toFixed(0)} MB`,
    );
  }
  return lines.join('\n');
}

/** Median of the resident memory at the commits between two numbers of images. */
function medianRss(samples: readonly Sample[], from: number, to: number): number {
  return median(
    samples.filter(({ images }) => images > from && images <= to).map(({ rssBytes }) => rssBytes),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}
