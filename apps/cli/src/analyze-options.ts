import { Option, type Command } from 'commander';
import {
  FITS,
  GRID_FORMATS,
  GRID_STYLES,
  READINGS_KEPT,
  RESIZE_KERNEL,
  type GridSelection,
  type RunSettings,
} from '@filterscope/runs/run-document';
import { parseLayers } from '@filterscope/vgg16/layers';
import type { Flavour } from '@filterscope/vgg16/weights';
import type { Context } from './context.ts';
import { ENGINES, type EngineName } from './open-engine.ts';
import { failureLimit, gridSelection, positiveInteger, type FailureLimit } from './parse-options.ts';
import type { Common } from './program.ts';

interface Given extends Common {
  readonly weights: string;
  readonly flavour?: Flavour;
  readonly layers: string;
  readonly fit: RunSettings['fit'];
  readonly grids: GridSelection;
  readonly gridStyle: NonNullable<RunSettings['gridStyle']>;
  readonly gridFormat: NonNullable<RunSettings['gridFormat']>;
  readonly readings: RunSettings['readings'];
  readonly include?: string;
  readonly limit?: number;
  readonly maxFailures?: FailureLimit;
  readonly chunkSize?: number;
  readonly engine: EngineName;
  readonly threads?: number;
}

/** Images that get grids unless told: the sixteen that the grey scale is measured on, a fair sample of about 55 MB. */
const DEFAULT_GRIDS = 16;

/** Adds the arguments and options of `analyze` to its command. */
export function addAnalyze(command: Command, context: Context, finish: (exitCode: number) => void): void {
  command
    .argument('<dataset>', 'a folder; its first level of folders are the classes')
    .option('--weights <weights>', 'imagenet, synthetic, or a .h5 or .safetensors file', 'imagenet')
    .addOption(
      new Option('--flavour <flavour>', 'how the weights see pixels (default: what the file says)').choices([
        'keras',
        'torchvision',
      ]),
    )
    .option('--layers <layers>', 'a list, or a range such as ..block2_conv2', 'all')
    .addOption(
      new Option('--fit <fit>', 'crop: shorter side to 256, centre 224; stretch: to 224×224')
        .choices(FITS)
        .default('crop'),
    )
    .addOption(
      new Option('--grids <which>', 'images that get grids: all, none, the first N or P%')
        .argParser(gridSelection)
        .default({ first: DEFAULT_GRIDS }, String(DEFAULT_GRIDS)),
    )
    .addOption(
      new Option('--grid-style <style>', 'what a full grey level stands for')
        .choices(GRID_STYLES)
        .default('filter'),
    )
    .addOption(new Option('--grid-format <format>', 'of the grids').choices(GRID_FORMATS).default('jpeg'))
    .addOption(
      new Option('--readings <keep>', 'keep what was measured of every image')
        .choices(READINGS_KEPT)
        .default('full'),
    )
    .option('--limit <n>', 'only the first N images in random order', positiveInteger)
    .option('--include <glob>', "only keys that match, such as '*.jpg' or 'cats/**'")
    .option('--max-failures <n>', 'give up when more images fail: a number or P%', failureLimit)
    .option('--chunk-size <n>', 'images a unit of work', positiveInteger)
    .addOption(new Option('--engine <engine>', 'what computes').choices(['auto', ...ENGINES]).default('auto'))
    .option('--threads <n>', 'engine threads (default: one a core)', positiveInteger)
    .action(async (dataset: string, given: Given) => {
      const layers = parseLayers(given.layers);
      const { analyze } = await import('./commands/analyze.ts');
      finish(await analyze(context, dataset, { ...given, layers, settings: settingsOf(given) }));
    });
}

/** The settings that make a run what it is. */
function settingsOf(given: Given): RunSettings {
  const { fit, grids, gridStyle, gridFormat, readings } = given;
  const layers = parseLayers(given.layers).map(({ layer }) => layer);
  const drawn = grids !== 'none';
  return {
    layers,
    fit,
    kernel: RESIZE_KERNEL,
    grids,
    gridStyle: drawn ? gridStyle : null,
    gridFormat: drawn ? gridFormat : null,
    readings,
  };
}
