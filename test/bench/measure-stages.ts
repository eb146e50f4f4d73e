import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConvolutionMethod } from '@filterscope/engines/onnx/packed-weights';
import { graphOutputs } from '@filterscope/engines/onnx/vgg16-graph';
import { gridLayout, gridSize } from '@filterscope/imaging/grid-layout';
import { encodeGrid } from '@filterscope/imaging/encode-grid';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import { encodeReadings } from '@filterscope/runs/readings-table';
import { addReadings, createAccumulator } from '@filterscope/statistics/accumulator';
import { filterCount } from '@filterscope/statistics/readings';
import { LAYERS } from '@filterscope/vgg16/layers';
import type { Weights } from '@filterscope/vgg16/weights';
import { networks, preparedImages } from './forward-pass.ts';

/** Milliseconds of one core an image, a median over the pictures, each stage by itself on a machine with nothing else to do. */
export type Stages = Readonly<
  Record<'decode' | 'forward' | 'readings' | 'tiles' | 'accumulate' | 'table' | 'encode', number>
>;

const PICTURES = 9;

export async function measureStages(
  weights: Weights,
  folder: string,
  method: ConvolutionMethod,
): Promise<Stages> {
  const names = (await readdir(folder)).slice(0, PICTURES);
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  const pictures = (await preparedImages(folder)).slice(0, PICTURES);
  const decode = await medianMs(files, (file) => prepareImage(file, 'crop'));

  await using network = await networks(weights, 1, method);
  const scales = LAYERS.map(({ layer, filters }) => [layer, new Float32Array(filters).fill(1)] as const);
  const runIn = (mode: 'forward' | 'readings' | 'tiles', image: Uint8Array) => {
    const outputs = graphOutputs(LAYERS, mode);
    return network.pool.use((unit) =>
      unit.run({ mode, images: [image], scales: mode === 'tiles' ? scales : [], outputs }),
    );
  };
  const forward = await medianMs(pictures, (image) => runIn('forward', image));
  const readings = await medianMs(pictures, (image) => runIn('readings', image));
  const tiles = await medianMs(pictures, (image) => runIn('tiles', image));
  const [outputs] = await runIn('tiles', pictures[0]);

  const count = filterCount(LAYERS);
  const values = {
    zeros: new Uint16Array(count),
    max: new Float32Array(count).fill(1),
    mean: new Float32Array(count),
    position: new Uint16Array(count),
  };
  const accumulator = createAccumulator(LAYERS);
  const rows = Array.from({ length: 100 }, (_, row) => ({
    row,
    image: `${row}`,
    class: null,
    readings: values,
  }));
  const accumulate = await medianMs(rows, ({ row }) =>
    addReadings(accumulator, { row, classIds: [] }, values),
  );
  const table = (await medianMs([0, 1, 2], () => encodeReadings(LAYERS, rows))) / rows.length;
  const about = { style: 'filter', weights: '', run: '', image: '' };
  const encode = await medianMs(pictures, async () => {
    for (const { layer, filters, size } of LAYERS) {
      const pixels = outputs[`grid/${layer}`] as Uint8Array;
      const picture = { pixels, ...gridSize(gridLayout(filters), size), format: 'jpeg' as const };
      await encodeGrid({ ...picture, metadata: { ...about, layer } });
    }
  });
  return {
    decode,
    forward,
    readings: readings - forward,
    tiles: tiles - readings,
    accumulate,
    table,
    encode,
  };
}

async function medianMs<Item>(items: readonly Item[], work: (item: Item) => unknown): Promise<number> {
  await work(items[0]); // warms up
  const times: number[] = [];
  for (const item of items) {
    const start = performance.now();
    await work(item);
    times.push(performance.now() - start);
  }
  return median(times);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
