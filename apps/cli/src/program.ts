import { join } from 'node:path';
import { Command, Option } from 'commander';
import type { ClassesQuestion } from '@filterscope/results/class-separation';
import type { ClusterBy } from '@filterscope/results/cluster-sums';
import type { ComparisonQuestion } from '@filterscope/results/compare';
import { openCompleteRuns } from '@filterscope/results/complete-runs';
import { findRun } from '@filterscope/results/find-run';
import { openResults, type Results } from '@filterscope/results/open-results';
import { FILTER_ORDERS, type FilterQuestion } from '@filterscope/results/summaries';
import { ADJUSTMENTS } from '@filterscope/statistics/adjust-p';
import { addAnalyze, addSubmit } from './analyze-options.ts';
import type { VerifyOptions } from './commands/verify.ts';
import type { WorkerCommandOptions } from './commands/worker.ts';
import type { Context } from './context.ts';
import { EXPORT_FORMATS, QUERY_FORMATS, type ExportFormat, type QueryFormat } from './file-formats.ts';
import { shortRun } from './format.ts';
import { engineOption, threadsOption, type EngineChoice } from './open-engine.ts';
import { openOutput } from './open-output.ts';
import {
  age,
  clusterBy,
  codeList,
  failureLimit,
  filterName,
  htmlFile,
  pngFile,
  pairLimit,
  period,
  portNumber,
  type FailureLimit,
} from './parse-options.ts';
import { say } from './terminal.ts';

/** Options of every command. */
export interface Common {
  readonly output: string;
  readonly json: boolean;
}

/**
 * The command line. Each command's code is loaded when it is asked for, so that a question starts no engine.
 * @param finish called with the exit code of commands that have one of their own
 */
export function createProgram(context: Context, finish: (exitCode: number) => void): Command {
  const program = new Command('filterscope')
    .description('Tells which filters of VGG16 are silent on a dataset.')
    .configureOutput({
      writeOut: (text) => context.terminal.stdout.write(text),
      writeErr: (text) => context.terminal.stderr.write(text),
    })
    .exitOverride();
  const command = (usage: string, description: string) =>
    program
      .command(usage)
      .description(description)
      .option('-o, --output <url>', 'where runs are kept', './filterscope-out')
      .option('--json', 'answer in JSON', false);
  const RUN = 'a run: its id, the beginning of it, or latest';

  addAnalyze(command('analyze', 'analyse the images below a URL, all on this machine'), context, finish);
  addSubmit(command('submit', 'plan a run and put it into the queue for workers'), context, finish);

  program
    .command('worker')
    .description('carry out chunks from the queue until told to stop')
    .addOption(engineOption())
    .addOption(threadsOption())
    .option('--grace <time>', 'how long what is in hand may go on after SIGTERM', period, period('60s'))
    .option('--health-host <host>', 'address of /healthz, /readyz and /metrics (default: 127.0.0.1)')
    .option(
      '--health-port <port>',
      'their port (default: 9464, or any when it is taken); 0 for none',
      portNumber,
    )
    .action(async (options: WorkerCommandOptions) => {
      const { worker } = await import('./commands/worker.ts');
      await worker(context, options);
    });

  command('watch', 'how far a run is, live; Ctrl-C leaves the run going')
    .argument('<run>', RUN)
    .action(async (run: string, options: Common) => {
      const { watch } = await import('./commands/watch.ts');
      finish(await watch(context, run, options));
    });

  command('resume', 'put what is left of a run into the queue again')
    .argument('<run>', RUN)
    .option(
      '--max-failures <n>',
      'from now on, give up when more images have failed: a number or P%',
      failureLimit,
    )
    .action(async (run: string, options: Common & { maxFailures?: FailureLimit }) => {
      const { resume } = await import('./commands/resume.ts');
      await resume(context, run, options);
    });

  command('retry', 'redo the failed images of a run')
    .argument('<run>', RUN)
    .option('--code <codes>', 'only those with these codes, such as poison,truncated', codeList)
    .action(async (run: string, options: Common & { code?: string[] }) => {
      const { retry } = await import('./commands/retry.ts');
      await retry(context, run, options);
    });

  command('cancel', 'begin no further chunk of a run; what is committed stays')
    .argument('<run>', RUN)
    .action(async (run: string, options: Common) => {
      const { cancel } = await import('./commands/cancel.ts');
      await cancel(context, run, options);
    });

  command('runs', 'every run, newest first').action(async (options: Common) => {
    const { runs } = await import('./commands/runs.ts');
    await runs(context, options);
  });

  command('status', 'how far a run is')
    .argument('<run>', RUN)
    .action(async (run: string, options: Common) => {
      const { status } = await import('./commands/status.ts');
      await status(context, run, options);
    });

  command('layers', 'one row a layer: blank rate, zero share, dead filters')
    .argument('<run>', RUN)
    .addOption(clusterOption())
    .action(async (run: string, options: Common & { cluster?: ClusterBy }) => {
      const { layers } = await import('./commands/layers.ts');
      await withResults(context, run, options, (results) => layers(context, results, options));
    });

  command('filters', 'one row a filter')
    .argument('<run>', RUN)
    .option('--layer <layer>', 'only the filters of this layer')
    .option('--class <class>', 'only over the images of this class')
    .addOption(new Option('--sort <order>', 'largest first').choices(FILTER_ORDERS))
    .addOption(clusterOption())
    .action(async (run: string, options: Common & FilterQuestion & { cluster?: ClusterBy }) => {
      const { filters } = await import('./commands/filters.ts');
      await withResults(context, run, options, (results) => filters(context, results, options));
    });

  command('filter', 'one filter in full')
    .argument('<run>', RUN)
    .argument('<filter>', 'for example block5_conv3/17', filterName)
    .option('--sheet <file>', 'write the crops of its top images to this PNG', pngFile)
    .action(
      async (run: string, name: ReturnType<typeof filterName>, options: Common & { sheet?: string }) => {
        const { filter } = await import('./commands/filter.ts');
        await withResults(context, run, options, (results) => filter(context, results, name, options));
      },
    );

  for (const [name, description, failures] of [
    ['images', 'one row an image', false],
    ['failures', 'the images that are not ok, and why', true],
  ] as const) {
    command(name, description)
      .argument('<run>', RUN)
      .action(async (run: string, options: Common) => {
        const { images } = await import('./commands/images.ts');
        await withResults(context, run, options, (results) =>
          images(context, results, { ...options, failures }),
        );
      });
  }

  command('image', 'one image in full, its grids drawn where none are stored')
    .argument('<run>', RUN)
    .argument('<key>', "the image's key below the dataset, as in images")
    .action(async (run: string, key: string, options: Common) => {
      const { image } = await import('./commands/image.ts');
      await withResults(context, run, options, (results) => image(context, results, key, options));
    });

  command('classes', 'the filters that tell a class from the rest, surest first')
    .argument('<run>', RUN)
    .option('--class <class>', 'only this class')
    .option('--layer <layer>', 'only the filters of this layer')
    .addOption(adjustOption())
    .action(async (run: string, options: Common & ClassesQuestion) => {
      const { classes } = await import('./commands/classes.ts');
      await withResults(context, run, options, (results) => classes(context, results, options));
    });

  command('compare', 'what differs between two runs, layer by layer and filter by filter')
    .argument('<runA>', RUN)
    .argument('<runB>', 'the other one; differences are B minus A')
    .option('--output-b <url>', 'where the other run is kept (default: as --output)')
    .option('--layer <layer>', 'only this layer and its filters')
    .option('--same-lineage', 'one was fine-tuned from the other: filter i is the same in both', false)
    .option(
      '--pairs <n>',
      'of the images in common, pair the first so many; all; or none: as if they were different',
      pairLimit,
      10_000,
    )
    .addOption(adjustOption())
    .action(
      async (
        runA: string,
        runB: string,
        { outputB, ...options }: Common & ComparisonQuestion & { outputB?: string },
      ) => {
        const { compare } = await import('./commands/compare.ts');
        const inB = { ...options, output: outputB ?? options.output };
        await withResults(context, runA, options, (a) =>
          withResults(context, runB, inB, (b) => compare(context, a, b, options)),
        );
      },
    );

  command('query', 'SQL over the tables runs, layers, filters, images, failures and readings')
    .argument('<run>', `${RUN}, or all`)
    .argument('<sql>', 'one SELECT, in quotes')
    .addOption(new Option('--format <format>', 'of the answer').choices(QUERY_FORMATS).default('table'))
    .action(async (run: string, sql: string, options: Common & { format: QueryFormat }) => {
      const { query } = await import('./commands/query.ts');
      const format = options.json ? 'json' : options.format;
      if (run === 'all') await withAllResults(context, options, (runs) => query(context, runs, sql, format));
      else await withResults(context, run, options, (results) => query(context, [results], sql, format));
    });

  command('export', 'the filters that a rule drops, as a mask for a training script')
    .argument('<run>', RUN)
    .requiredOption('--rule <rule>', "such as 'zeros > 0.9', 'dead', 'blank.low > 95% or dead'")
    .addOption(new Option('--format <format>', 'of the file').choices(EXPORT_FORMATS).default('pruning-mask'))
    .option('--to <file>', 'the file (default: standard output)')
    .action(async (run: string, options: Common & { rule: string; format: ExportFormat; to?: string }) => {
      const { exportPruning } = await import('./commands/export.ts');
      await withResults(context, run, options, (results) => exportPruning(context, results, options));
    });

  command('report', 'a run as one HTML file and a picture of its main figure')
    .argument('<run>', RUN)
    .option(
      '--to <file>',
      'the HTML file; the picture beside it (default: ./filterscope-report-RUN.html)',
      htmlFile,
    )
    .action(async (run: string, options: Common & { to?: string }) => {
      const { report } = await import('./commands/report.ts');
      await withResults(context, run, options, (results) => report(context, results, options));
    });

  command('delete', 'delete a run')
    .argument('<run>', RUN)
    .option('-y, --yes', 'do not ask', false)
    .action(async (run: string, options: Common & { yes: boolean }) => {
      const { deleteCommand } = await import('./commands/delete.ts');
      await deleteCommand(context, run, options);
    });

  command('gc', 'delete what no run needs: remains of killed workers and deleted runs, unused weights')
    .option('--dry-run', 'only say what would go', false)
    .option('--older-than <age>', 'spare what is younger: it may be work in progress', age, age('1h'))
    .action(async (options: Common & { dryRun: boolean; olderThan: number }) => {
      const { gc } = await import('./commands/gc.ts');
      await gc(context, options);
    });

  command('verify', 'do the numbers agree with what is known: engine, weights, store and, given one, a run')
    .argument('[run]', RUN)
    .option(
      '--weights <weights>',
      'imagenet, synthetic, or a file (default: imagenet where downloaded, else synthetic)',
    )
    .addOption(
      new Option('--flavour <flavour>', 'how the weights see pixels').choices(['keras', 'torchvision']),
    )
    .addOption(engineOption())
    .action(async (run: string | undefined, options: VerifyOptions) => {
      const { verify } = await import('./commands/verify.ts');
      finish(await verify(context, run, options));
    });

  command('doctor', 'is everything there and working')
    .addOption(engineOption())
    .action(async (options: Common & EngineChoice) => {
      const { doctor } = await import('./commands/doctor.ts');
      finish(await doctor(context, options));
    });
  return program;
}

const clusterOption = () =>
  new Option(
    '--cluster <by>',
    'intervals for images alike: of one class, in one folder, or prefix:N, whose keys have the first N characters in common',
  ).argParser(clusterBy);

const adjustOption = () =>
  new Option('--adjust <method>', 'of p-values: Benjamini–Hochberg or Benjamini–Yekutieli')
    .choices(ADJUSTMENTS)
    .default('bh');

/** Where tables are kept that were fetched from S3. */
const tableCache = ({ environment }: Context) => join(environment.cacheDirectory, 'tables');

async function withResults(
  context: Context,
  run: string,
  { output: url }: Common,
  ask: (results: Results) => Promise<void>,
): Promise<void> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, url);
  const document = await findRun(output, run, signal);
  await using results = await openResults(output, document, signal, tableCache(context));
  if (!results.complete) say(terminal, 'The run is not complete: this is what it has so far.');
  await ask(results);
}

async function withAllResults(
  context: Context,
  { output: url }: Common,
  ask: (runs: readonly Results[]) => Promise<void>,
): Promise<void> {
  const { terminal, signal } = context;
  await using output = await openOutput(context, url);
  const { complete, unfinished } = await openCompleteRuns(output, signal, tableCache(context));
  await using opened = new AsyncDisposableStack();
  for (const results of complete) opened.use(results);
  if (unfinished.length > 0) {
    const names = unfinished.map(({ run }) => shortRun(run)).join(', ');
    const runs = complete.length === 1 ? 'the 1 complete run' : `the ${complete.length} complete runs`;
    say(terminal, `Over ${runs}; without ${names}, not complete.`);
  }
  await ask(complete);
}
