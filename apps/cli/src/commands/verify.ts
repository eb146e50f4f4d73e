import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { findRun } from '@filterscope/results/find-run';
import { openResults } from '@filterscope/results/open-results';
import { measuredLayers } from '@filterscope/runs/run-document';
import { weightsKey } from '@filterscope/runs/run-keys';
import type { ObjectStore } from '@filterscope/storage/object-store';
import type { Check } from '@filterscope/verification/check';
import { runChecks } from '@filterscope/verification/run-checks';
import { storeChecks } from '@filterscope/verification/store-checks';
import { verifyNetwork } from '@filterscope/verification/verify';
import { IMAGENET_FILE } from '@filterscope/vgg16/imagenet-download';
import type { Flavour, Weights } from '@filterscope/vgg16/weights';
import { parseWeights } from '@filterscope/vgg16/weights-file';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { loadWeights } from '../load-weights.ts';
import { openDataset } from '../open-dataset.ts';
import { openEngine, type EngineChoice } from '../open-engine.ts';
import { openOutput } from '../open-output.ts';
import { renderTable } from '../table.ts';
import { say, write, writeJsonArray } from '../terminal.ts';

export interface VerifyOptions extends EngineChoice {
  readonly output: string;
  readonly json: boolean;
  readonly weights?: string;
  readonly flavour?: Flavour;
}

/** `filterscope verify`: do the numbers agree with what is known? @returns the exit code. */
export async function verify(
  context: Context,
  run: string | undefined,
  options: VerifyOptions,
): Promise<number> {
  const { terminal, signal } = context;
  configureImaging();
  await using output = await openOutput(context, options.output);
  const checks: Check[] = [];
  for await (const check of allChecks(context, output, run, options)) {
    checks.push(check);
    if (!options.json) say(terminal, `${check.check}: ${check.status}`);
    signal.throwIfAborted();
  }
  if (options.json) await writeJsonArray(terminal, checks);
  else await write(terminal.stdout, checksTable(checks));
  return checks.some(({ status }) => status === 'fails') ? EXIT.unexpected : EXIT.done;
}

async function* allChecks(
  context: Context,
  output: ObjectStore,
  run: string | undefined,
  options: VerifyOptions,
): AsyncGenerator<Check> {
  const { signal } = context;
  if (run === undefined) {
    const weights = await weightsAtHand(context, options);
    yield* verifyNetwork(weights, (layers) => openEngine(weights, layers, options), signal);
  } else {
    const document = await findRun(output, run, signal);
    await using results = await openResults(output, document, signal);
    await using stack = new AsyncDisposableStack();
    const { bytes } = await output.get(weightsKey(document.weights.sha256), undefined, signal);
    const weights = await parseWeights(bytes, document.weights.name);
    yield* verifyNetwork(weights, (layers) => openEngine(weights, layers, options), signal);
    const dataset = async () => stack.use(await openDataset(context, document.dataset, document.access));
    const engine = () => openEngine(weights, measuredLayers(document), { ...options, threads: 1 });
    yield* runChecks({ results, openDataset: dataset, openEngine: engine }, signal);
  }
  yield* await storeChecks(output, signal);
}

/** The weights asked for; else those of ImageNet where they are downloaded already, else the made-up ones. */
async function weightsAtHand(context: Context, { weights, flavour }: VerifyOptions): Promise<Weights> {
  const { terminal, environment, signal, showDownload } = context;
  const chosen = weights ?? ((await downloaded(environment.cacheDirectory)) ? 'imagenet' : 'synthetic');
  if (weights === undefined && chosen === 'synthetic')
    say(
      terminal,
      'The ImageNet weights are not downloaded: checking with a made-up network (--weights imagenet fetches them).',
    );
  const choice = { weights: chosen, ...(flavour && { flavour }) };
  return (await loadWeights(choice, environment, showDownload, signal)).content;
}

const downloaded = (folder: string): Promise<boolean> =>
  access(join(folder, IMAGENET_FILE)).then(
    () => true,
    () => false,
  );

function checksTable(checks: readonly Check[]): string {
  return renderTable(
    [
      { title: 'check' },
      { title: 'status' },
      { title: 'deviation', align: 'right' },
      { title: 'tolerance', align: 'right' },
      { title: 'detail', gives: 'wrap' },
    ],
    checks.map(({ check, status, deviation, tolerance, detail }) => [
      check,
      status.replace('-', ' '),
      magnitude(deviation),
      magnitude(tolerance),
      detail,
    ]),
  );
}

function magnitude(value: number | null): string {
  if (value === null) return '–';
  if (value === 0 || (value >= 0.01 && value < 1000)) return String(Number(value.toPrecision(3)));
  return value.toExponential(1);
}
