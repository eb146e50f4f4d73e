import { Option, type Command } from 'commander';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import {
  CROPS,
  DEFAULT_TOP_K,
  DUPLICATES_COUNTED,
  FITS,
  GRID_FORMATS,
  GRID_STYLES,
  READINGS_KEPT,
  RESIZE_KERNEL,
  type GridSelection,
  type RunDocument,
  type RunSettings,
} from '@filterscope/runs/run-document';
import { parseLayers } from '@filterscope/vgg16/layers';
import type { Flavour } from '@filterscope/vgg16/weights';
import type { Context } from './context.ts';
import { engineOption, threadsOption, type EngineChoice } from './open-engine.ts';
import {
  failureLimit,
  gridSelection,
  httpUrl,
  positiveInteger,
  precision,
  topListLength,
  type FailureLimit,
} from './parse-options.ts';
import type { Common } from './program.ts';

interface Given extends Common, AccessOptions, EngineChoice {
  readonly dryRun?: boolean;
  readonly weights: string;
  readonly flavour?: Flavour;
  readonly layers: string;
  readonly fit: RunSettings['fit'];
  readonly grids: GridSelection;
  readonly gridStyle: NonNullable<RunSettings['gridStyle']>;
  readonly gridFormat: NonNullable<RunSettings['gridFormat']>;
  readonly readings: RunSettings['readings'];
  readonly topK: number;
  readonly crops: RunDocument['crops'];
  readonly countDuplicates: RunSettings['countDuplicates'];
  readonly include?: string;
  readonly limit?: number;
  readonly labels?: string;
  readonly reuse: boolean;
  readonly maxFailures?: FailureLimit;
  readonly until?: NonNullable<RunSettings['until']>;
  readonly chunkSize?: number;
}

/** Images that get grids unless told: the sixteen that the grey scale is measured on, a fair sample of about 55 MB. */
const DEFAULT_GRIDS = 16;

/** How S3 is reached, as far as options say. */
interface AccessOptions {
  readonly datasetEndpoint?: string;
  readonly datasetProfile?: string;
  readonly requesterPays?: boolean;
  readonly kmsKey?: string;
}

/** Adds the arguments and options of `analyze` to its command. */
export function addAnalyze(command: Command, context: Context, finish: (exitCode: number) => void): void {
  addSettings(command)
    .addOption(engineOption())
    .addOption(threadsOption())
    .action(async (dataset: string, given: Given) => {
      const { analyze } = await import('./commands/analyze.ts');
      finish(await analyze(context, dataset, chosen(given)));
    });
}

/** Adds the arguments and options of `submit` to its command. */
export function addSubmit(command: Command, context: Context, finish: (exitCode: number) => void): void {
  addSettings(command)
    .option('--dry-run', 'only say what the run would be: jobs, bytes, requests, time', false)
    .action(async (dataset: string, given: Given) => {
      const { submit } = await import('./commands/submit.ts');
      finish(await submit(context, dataset, { ...chosen(given), dryRun: given.dryRun ?? false }));
    });
}

/** What a run is made of, the same however it is carried out. */
function addSettings(command: Command): Command {
  return command
    .argument('<dataset>', 'a folder or s3://bucket/prefix; its first level of folders are the classes')
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
    .option('--top-k <n>', 'images in the top list of each filter, 0 to 64', topListLength, DEFAULT_TOP_K)
    .addOption(
      new Option('--crops <which>', 'keep pictures of the images in top lists').choices(CROPS).default('all'),
    )
    .addOption(
      new Option('--count-duplicates <how>', 'whether images with the same bytes count once or each')
        .choices(DUPLICATES_COUNTED)
        .default('each'),
    )
    .option('--limit <n>', 'only the first N images in random order', positiveInteger)
    .option('--labels <file>', 'classes by a CSV file with columns image and class, instead of by folder')
    .option('--include <glob>', "only keys that match, such as '*.jpg' or 'cats/**'")
    .option('--no-reuse', 'compute every image, though earlier runs in the output have its readings')
    .option(
      '--until <precision>',
      'stop as soon as every interval is that narrow: ±1pp, or layers:±1pp for those of the layers alone',
      precision,
    )
    .option('--chunk-size <n>', 'images a unit of work', positiveInteger)
    .option('--max-failures <n>', 'give up when more images fail: a number or P%', failureLimit)
    .option(
      '--dataset-endpoint <url>',
      'S3 server of the dataset, where it is not that of the output',
      httpUrl,
    )
    .option('--dataset-profile <name>', "profile of the AWS configuration with the dataset's credentials")
    .option('--requester-pays', 'pay for reading a dataset that demands it', false)
    .option('--kms-key <id>', 'encrypt what is written with this key of AWS KMS');
}

function chosen(given: Given) {
  const { datasetEndpoint = null, datasetProfile = null, requesterPays = false, kmsKey = null } = given;
  const access = { datasetEndpoint, datasetProfile, requesterPays, kmsKeyId: kmsKey };
  return { ...given, layers: parseLayers(given.layers), settings: settingsOf(given), access };
}

/**
 * The settings that make a run what it is.
 * @throws FilterscopeError `duplicates-need-readings`
 */
function settingsOf(given: Given): RunSettings {
  const { fit, grids, gridStyle, gridFormat, readings, topK, countDuplicates, until = null } = given;
  if (countDuplicates === 'once' && readings === 'none') {
    const message =
      '--count-duplicates once needs the readings: what a duplicate has added to a chunk can only be left out by counting the ' +
      'chunk again from them; leave out --readings none';
    throw new FilterscopeError('duplicates-need-readings', message);
  }
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
    topK,
    countDuplicates,
    until,
  };
}
