import { randomUUID } from 'node:crypto';
import { access, statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { configureImaging } from '@filterscope/imaging/configure-imaging';
import { prepareImage } from '@filterscope/imaging/prepare-image';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-code.ts';
import { bytes } from '../format.ts';
import { defaultThreads, tryEngine, type EngineChoice } from '../open-engine.ts';
import { openOutput } from '../open-output.ts';
import { renderTable } from '../table.ts';
import { write, writeJsonArray } from '../terminal.ts';

interface Check {
  readonly check: string;
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

/** Below this much room, a run of more than a few images is likely to fill the disk. */
const SCARCE_BYTES = 1e9;

/** `filterscope doctor`: is everything there and working? @returns the exit code. */
export async function doctor(
  context: Context,
  options: EngineChoice & { output: string; json: boolean },
): Promise<number> {
  const { terminal } = context;
  configureImaging();
  const checks = [
    await attempt('Node.js', async () => ok(`${process.version} on ${process.platform} ${process.arch}`)),
    await attempt('machine', checkMachine),
    await attempt('images', checkImaging),
    await attempt('engine', () => checkEngine(options)),
    await attempt('queries', checkQueries),
    await attempt('weights', () => checkWeights(context)),
    await attempt('output', () => checkOutput(context, options.output)),
  ];
  if (options.json) {
    await writeJsonArray(terminal, checks);
  } else {
    const rows = checks.map(({ check, status, detail }) => [check, status, detail]);
    await write(
      terminal.stdout,
      renderTable([{ title: 'check' }, { title: 'status' }, { title: 'detail', gives: 'wrap' }], rows),
    );
  }
  return checks.some(({ status }) => status === 'failed') ? EXIT.unexpected : EXIT.done;
}

type Finding = Omit<Check, 'check'>;
const ok = (detail: string): Finding => ({ status: 'ok', detail });
const warning = (detail: string): Finding => ({ status: 'warning', detail });

async function attempt(check: string, look: () => Promise<Finding>): Promise<Check> {
  try {
    return { check, ...(await look()) };
  } catch (error) {
    return { check, status: 'failed', detail: error instanceof Error ? error.message : String(error) };
  }
}

async function checkMachine(): Promise<Finding> {
  const detail = `${availableParallelism()} cores, ${bytes(totalmem())} memory, ${defaultThreads()} engine threads`;
  return totalmem() < 2e9 ? warning(`${detail}; less than 2 GB is tight`) : ok(detail);
}

/** A grey GIF of one pixel, through the whole preparation. */
async function checkImaging(): Promise<Finding> {
  const gif = Buffer.from('R0lGODlhAQABAIAAAAUEBAAAACwAAAAAAQABAAACAkQBADs=', 'base64');
  const prepared = await prepareImage(gif, 'crop');
  if (prepared.status === 'failed') throw new Error(prepared.message);
  return ok('a picture was decoded and resized');
}

/** The first layer of the synthetic network on a grey picture. */
async function checkEngine(choice: EngineChoice): Promise<Finding> {
  const start = performance.now();
  const { name, version, processor } = await tryEngine(choice);
  const ms = (performance.now() - start).toFixed(0);
  return ok(`${name} ${version} on ${processor}: started, and computed the first layer, in ${ms} ms`);
}

async function checkQueries(): Promise<Finding> {
  const { checkDuckdb } = await import('@filterscope/results/check-duckdb');
  return ok(`DuckDB ${await checkDuckdb()}`);
}

async function checkWeights({ environment }: Context): Promise<Finding> {
  const { IMAGENET_FILE } = await import('@filterscope/vgg16/imagenet-download');
  const path = join(environment.cacheDirectory, IMAGENET_FILE);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  return there
    ? ok(`ImageNet weights in ${path}`)
    : warning('the ImageNet weights are not downloaded yet; the first analyze fetches 59 MB');
}

async function checkOutput(context: Context, url: string): Promise<Finding> {
  await using output = await openOutput(context, url);
  const key = `doctor-${randomUUID()}`;
  await output.put(key, new Uint8Array(1));
  await output.delete([key]);
  const room = await statfs(output.url).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  );
  const detail = `${output.url} can be written${room === undefined ? '' : `, ${bytes(room)} free`}`;
  return room !== undefined && room < SCARCE_BYTES ? warning(detail) : ok(detail);
}
