import { createHash } from 'node:crypto';
import { join } from 'node:path';
import sharp from 'sharp';
import { completeRun } from '@filterscope/runs/complete-run';
import { runChunks } from '@filterscope/runs/run-chunks';
import { filterCount, type Readings } from '@filterscope/statistics/readings';
import type { Engine, PreparedImage } from '@filterscope/vgg16/engine';
import { LAYERS, type ConvolutionLayer } from '@filterscope/vgg16/layers';
import { plannedRun, type PlannedRun } from './planned-run.ts';
import { writeDated } from './sample-photos.ts';

const CLASSES = ['cat', 'dog', 'flower'] as const;

/**
 * A complete run of three classes whose filters have known habits, in the first two layers: 0 is dead, 1 fires on cats alone,
 * 2 and 3 are blank together, the maxima of `block1_conv2/6` follow those of `block1_conv1/5`. One file is no picture.
 */
export async function toldRun(
  dataset: string,
  output: string,
  { images = 24, fit = 'crop' }: { images?: number; fit?: 'crop' | 'stretch' } = {},
): Promise<PlannedRun> {
  for (let i = 0; i < images; i++) {
    const background = { r: 0, g: 0, b: 0, [['r', 'g', 'b'][i % 3]]: 100 + i };
    const picture = sharp({ create: { width: 24, height: 20, channels: 3, background } });
    await writeDated(join(dataset, CLASSES[i % 3], `${i}.png`), await picture.png().toBuffer());
  }
  await writeDated(join(dataset, 'dog/broken.png'), 'no picture');
  const layers = LAYERS.slice(0, 2);
  const run = await plannedRun(dataset, output, {
    layers: layers.map(({ layer }) => layer),
    fit,
    grids: 'none',
  });
  await using engine = habitualEngine(layers);
  await runChunks({ ...run, engine, signal: run.work.signal });
  await completeRun(run.document, run.output);
  return run;
}

function habitualEngine(layers: readonly ConvolutionLayer[]): Engine {
  return {
    identity: { name: 'stub', version: '1', processor: 'any' },
    parallel: 2,
    batch: 1,
    infer: (images) => Promise.resolve(images.map((image) => ({ readings: habits(layers, image) }))),
    async [Symbol.asyncDispose]() {},
  };
}

function habits(layers: readonly ConvolutionLayer[], image: PreparedImage): Readings {
  const count = filterCount(layers);
  const readings = {
    zeros: new Uint16Array(count),
    max: new Float32Array(count),
    mean: new Float32Array(count),
    position: new Uint16Array(count),
  };
  const random = (of: number) =>
    createHash('sha256').update(image.subarray(0, 3)).update(String(of)).digest().readUInt32LE() / 2 ** 32;
  const cat = image[0] > image[1] && image[0] > image[2];
  let at = 0;
  for (const { filters, positions } of layers) {
    for (let filter = 0; filter < filters; filter++, at++) {
      const blank =
        filter === 0 || (filter === 1 && !cat) || (filter >= 2 && random(filter === 3 ? 2 : at) < 0.3);
      const max = filter === 5 || filter === 6 ? 1 + 8 * random(5) + random(at) : 1 + 8 * random(at);
      const share = filter === 7 ? 0.95 + 0.04 * random(at) : random(at);
      const ever = filter === 5 || filter === 6 || filter === 7 ? false : blank;
      readings.zeros[at] = ever ? positions : Math.floor(share * positions);
      readings.max[at] = ever ? 0 : max;
      readings.mean[at] = ever ? 0 : max / 8;
      readings.position[at] = ever ? 0 : Math.floor(random(at + 1000) * positions);
    }
  }
  return readings;
}
