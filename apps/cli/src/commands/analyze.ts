import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { openResults } from '@filterscope/results/open-results';
import { layerRows } from '@filterscope/results/summaries';
import { completeRun } from '@filterscope/runs/complete-run';
import { setFailureLimit } from '@filterscope/runs/failure-limit';
import { readComplete, type IndexDocument } from '@filterscope/runs/index-document';
import { createRun, type RunPlan } from '@filterscope/runs/plan-run';
import { watchPrecision } from '@filterscope/runs/precision';
import { readRunDocument } from '@filterscope/runs/run-document';
import { unmarkRun } from '@filterscope/runs/run-mark';
import type { ObjectStore } from '@filterscope/storage/object-store';
import { capitalised, earlyStop } from '../early-stop.ts';
import { allowedFailures } from '../allowed-failures.ts';
import type { Context } from '../context.ts';
import { duplicatesNote } from '../duplicates-note.ts';
import { EXIT } from '../exit-code.ts';
import { count, duration, percent, shortRun } from '../format.ts';
import { announce, announceReuse, makePlan, reuseSearch, type PlanOptions } from '../make-plan.ts';
import { openDataset } from '../open-dataset.ts';
import { openEngine } from '../open-engine.ts';
import { openOutput } from '../open-output.ts';
import { keepCrops } from '../keep-crops.ts';
import { workThrough } from '../work-through.ts';
import { say, writeJson } from '../terminal.ts';
import { layersTable } from './layers.ts';

export interface AnalyzeOptions extends PlanOptions {
  readonly json: boolean;
}

/** `filterscope analyze`: the whole job in this process. @returns the exit code. */
export async function analyze(
  context: Context,
  datasetUrl: string,
  options: AnalyzeOptions,
): Promise<number> {
  const { terminal, signal } = context;
  configureImaging();
  const started = performance.now();
  await using dataset = await openDataset(context, datasetUrl, options.access);
  await using output = await openOutput(context, options.output, options.access.kmsKeyId);
  const plan = await makePlan(context, dataset, output, options);
  const known = await readComplete(output, plan.run, signal);
  if (known) {
    say(terminal, `Run ${shortRun(plan.run)} is complete already.`);
  } else {
    announce(context, plan, output, options);
  }
  const index = known ?? (await carryOut(context, plan, dataset, output, options));
  if (options.crops === 'all') {
    const document = await readRunDocument(output, plan.run, signal);
    await keepCrops(context, { document, index, dataset, output });
  }
  const seconds = (performance.now() - started) / 1000;
  await report(context, plan, output, index, options.json, seconds);
  return index.failed > 0 ? EXIT.failedImages : EXIT.done;
}

async function carryOut(
  context: Context,
  plan: RunPlan,
  dataset: ObjectStore,
  output: ObjectStore,
  options: AnalyzeOptions,
): Promise<IndexDocument> {
  const { signal, versions } = context;
  await using engine = await openEngine(plan.weights.content, options.layers, options);
  const reuse = reuseSearch(context, options, engine.identity);
  const { access, crops } = options;
  const place = { dataset: dataset.url, output, versions, access, crops, ...(reuse && { reuse }) };
  const { document, created } = await createRun(plan, place, signal);
  announceReuse(context, document, options, true);
  await unmarkRun(output, document.run, signal);
  const maxFailures = allowedFailures(options.maxFailures, document);
  await setFailureLimit(output, document.run, maxFailures, signal);
  const precision = watchPrecision(document, output);
  await workThrough(context, { document, dataset, output, engine, created, maxFailures, precision });
  const index = await completeRun(document, output, signal, precision);
  if (index) return index;
  throw new FilterscopeError('chunks-missing', 'not every chunk has its commit; run the same command again');
}

async function report(
  context: Context,
  plan: RunPlan,
  output: ObjectStore,
  index: IndexDocument,
  json: boolean,
  durationSeconds: number,
): Promise<void> {
  const { terminal, signal } = context;
  const { ok, failed, skipped, reused, duplicates, images } = index;
  const { synthetic } = plan.weights.content;
  if (json) {
    const summary = {
      run: plan.run,
      state: 'complete',
      images,
      ok,
      failed,
      skipped,
      reused,
      duplicates,
      output: output.url,
      durationSeconds,
      synthetic,
    };
    await writeJson(terminal, summary);
    return;
  }
  const taken = reused > 0 ? ` (${count(reused)} of them taken from earlier runs)` : '';
  const counts = `${count(ok)} ok${taken}, ${count(failed)} failed, ${count(skipped)} skipped`;
  say(terminal, `Run ${shortRun(plan.run)} is complete: ${counts}, in ${duration(durationSeconds)}.`);
  const document = await readRunDocument(output, plan.run, signal);
  const stop = earlyStop(document, index.stoppedAt);
  if (stop !== undefined) say(terminal, `${capitalised(stop)}.`);
  if (failed > 0)
    say(
      terminal,
      `${percent(failed / images)} of the rows failed; "npx filterscope failures latest" says why.`,
    );
  if (duplicates > 0) say(terminal, duplicatesNote(duplicates, plan.settings));
  if (index.engines.length > 1)
    say(terminal, 'More than one engine or version took part; their last bits may differ.');
  await using results = await openResults(output, document, signal);
  terminal.stdout.write(layersTable(results, await layerRows(results, signal)));
}
