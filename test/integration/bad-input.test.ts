import { existsSync } from 'node:fs';
import { chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test, type TestContext } from 'vitest';
import { expectPage } from '../support/expect-page.ts';
import { askJson, filterscope, type Finished, type Surroundings } from '../support/run-filterscope.ts';
import { writeDated, writePhotos } from '../support/sample-photos.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

const newFolder = temporaryFolders();
let photos: string;
let weights: string;
beforeAll(async () => {
  photos = await newFolder();
  await writePhotos(photos, 3);
  weights = await writeSmallWeights(await newFolder());
});

interface Attempt {
  readonly dataset?: string;
  readonly output?: string;
  readonly weights?: string;
  readonly more?: readonly string[];
  readonly surroundings?: Surroundings;
}

/** Runs `analyze` with what is wrong, expects that it writes nothing, and gives what it said. */
async function refused(attempt: Attempt, expectedCode: number): Promise<string> {
  const output = attempt.output ?? (await newFolder());
  const before = existsSync(output) && !attempt.output ? await readdir(output, { recursive: true }) : [];
  const settings = ['--weights', attempt.weights ?? weights, '--layers', 'block1_conv1', '--grids', 'none'];
  const args = ['analyze', attempt.dataset ?? photos, '-o', output, ...settings, ...(attempt.more ?? [])];
  const finished = await filterscope(args, attempt.surroundings);
  expectSentence(finished, expectedCode);
  if (!attempt.output) expect(await readdir(output, { recursive: true })).toEqual(before);
  return finished.stderr;
}

/** One sentence on standard error, nothing on standard output, and no stack of calls. */
function expectSentence({ code, stdout, stderr }: Finished, expectedCode: number): void {
  expect(code, stderr).toBe(expectedCode);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^(filterscope|error): .+\n$/);
  expect(stderr).not.toMatch(/ {4}at |should not have happened|undefined|\[object/);
}

describe.concurrent('the dataset', () => {
  test('an empty folder', async () => {
    const said = await refused({ dataset: await newFolder() }, 4);
    expect(said).toContain('there are no files below');
  });

  test('an empty folder is told before weights are fetched', async () => {
    const surroundings = { environment: { FILTERSCOPE_WEIGHTS_URL: await closedPort() } };
    const said = await refused({ dataset: await newFolder(), weights: 'imagenet', surroundings }, 4);
    expect(said).toContain('there are no files below');
  });

  test('a folder that is not there', async () => {
    expect(await refused({ dataset: '/no/such/folder' }, 4)).toContain('there is no folder /no/such/folder');
  });

  test('a file', async () => {
    const file = join(photos, 'cat/photo 0.jpg');
    expect(await refused({ dataset: file }, 2)).toContain('give the folder it is in');
  });

  test('a folder without images, and a pattern that matches none', async () => {
    const folder = await newFolder();
    await writeDated(join(folder, 'notes.txt'), 'no picture');
    expect(await refused({ dataset: folder }, 4)).toContain('none of the 1 files has the name of an image');
    expect(await refused({ more: ['--include', '*.tiff'] }, 4)).toContain('no file matches');
  });

  test('a URL that cannot be read yet', async () => {
    expect(await refused({ dataset: 'gs://bucket/photos' }, 2)).toContain('gs://');
  });
});

describe('the output', () => {
  test('a file', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, 'in the way');
    const said = await refused({ output: file }, 2);
    expect(said).toContain('choose another --output');
    expect(await readFile(file, 'utf8')).toBe('in the way');
  });

  test('a folder below a file', async () => {
    const file = join(await newFolder(), 'file');
    await writeFile(file, 'in the way');
    expect(await refused({ output: join(file, 'out') }, 2)).toContain('choose another --output');
  });

  test('the dataset itself', async () => {
    const before = await readdir(photos, { recursive: true });
    expect(await refused({ output: photos }, 2)).toContain('choose another --output');
    expect(await readdir(photos, { recursive: true })).toEqual(before);
  });

  test('a folder that is read-only', async () => {
    const folder = await newFolder();
    await chmod(folder, 0o555);
    const { code, stderr } = await filterscope(await publicly(join(folder, 'out')), { uid: nobody() });
    expect(stderr).toMatch(/^filterscope: no permission for .*; check its owner and mode$/m);
    expect(code).toBe(2);
    expect(await readdir(folder)).toEqual([]);
  });
});

test('a file that may not be read is a failed image', async () => {
  const output = await newFolder();
  await chmod(output, 0o777);
  await chmod(join(photos, 'dog/photo 1.jpg'), 0);
  try {
    const { code, stderr } = await filterscope(await publicly(output), { uid: nobody() });
    expect(code, stderr).toBe(3);
    expect(await askJson(['failures', 'latest', '-o', output])).toMatchObject([
      { image: 'dog/photo 1.jpg', status: 'failed', code: 'forbidden' },
    ]);
  } finally {
    await chmod(join(photos, 'dog/photo 1.jpg'), 0o644);
  }
});

/** The command for a user who is not root; the folders of tests are closed to others. */
async function publicly(output: string): Promise<string[]> {
  for (const folder of [photos, dirname(weights)]) await chmod(folder, 0o755);
  return ['analyze', photos, '-o', output, '--weights', weights, '--layers', 'block1_conv1'];
}

/** A user who may write nowhere: us, unless we are root. */
const nobody = () => (process.getuid?.() === 0 ? 65_534 : process.getuid!());

describe.concurrent('options', () => {
  test.each([
    [['--layers', 'block6_conv1'], 'there is no layer "block6_conv1"'],
    [['--colour'], "unknown option '--colour'"],
    [['--engine', 'abacus'], 'Allowed choices are auto, onnx-cpu'],
    [['--limit', '0'], 'give a whole number of at least 1'],
    [['--max-failures', '101%'], 'give a number of images'],
  ])('%s', async (more, sentence) => {
    expect(await refused({ more }, 2)).toContain(sentence);
  });

  test('a command that is not there, no dataset, and a variable that is wrong', async () => {
    const misspelt = await filterscope(['analyse', photos]);
    expect(misspelt).toMatchObject({ code: 2, stdout: '' });
    expect(misspelt.stderr).toBe("error: unknown command 'analyse'\n(Did you mean analyze?)\n");
    expectSentence(await filterscope(['analyze']), 2);
    const environment = { FILTERSCOPE_WEIGHTS_URL: 'weights on the shelf' };
    const finished = await filterscope(['runs'], { environment });
    expectSentence(finished, 2);
    expect(finished.stderr).toContain('FILTERSCOPE_WEIGHTS_URL');
  });

  test('a GPU that is not there: the processor does not step in, and a worker takes no job', async (context) => {
    if (process.platform !== 'linux') skip(context, 'a GPU can only be hidden from Vulkan');
    const environment = { VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: '/nowhere.json' };
    const settings = ['--weights', weights, '--layers', 'block1_conv1'];
    const attempts = [['analyze', photos, '-o', await newFolder(), ...settings], ['worker']];
    for (const args of attempts) {
      const finished = await filterscope([...args, '--engine', 'onnx-webgpu'], { environment });
      expect(finished).toMatchObject({ code: 2, stdout: '' });
      expect(finished.stderr).toContain('there is no GPU that can be used');
    }
  });

  test('a layer, a filter and a sort order that a run does not have', async () => {
    const output = await newFolder();
    const settings = ['--weights', weights, '--layers', 'block1_conv1', '--grids', 'none'];
    await askJson(['analyze', photos, '-o', output, ...settings, '--readings', 'none']);
    const ask = (...args: string[]) => filterscope([...args, '-o', output]);
    expectSentence(await ask('filters', 'latest', '--layer', 'block2_conv1'), 2);
    expectSentence(await ask('filters', 'latest', '--sort', 'beauty'), 2);
    expectSentence(await ask('filter', 'latest', 'block1_conv1'), 2);
    expectSentence(await ask('filter', 'latest', 'block2_conv1/0'), 2);
    expectSentence(await ask('filter', 'latest', 'block1_conv1/64'), 4);
    expectSentence(await ask('query', 'latest', 'SELECT 1', '--format', 'xml'), 2);
    expectSentence(await ask('gc', '--older-than', 'yesterday'), 2);
    const byClass = await ask('filters', 'latest', '--class', 'cat');
    expectSentence(byClass, 2);
    expect(byClass.stderr).toContain('kept no readings');
    const readings = await ask('query', 'latest', 'SELECT * FROM readings');
    expect(readings.code).toBe(2);
    expect(readings.stderr).toContain('readings');
  });
});

describe.concurrent('the weights', () => {
  test('a file that is not there', async () => {
    expect(await refused({ weights: '/no/weights.h5' }, 2)).toContain('/no/weights.h5 cannot be read');
  });

  test.each(['weights.safetensors', 'weights.h5'])('%s that is cut, or something else', async (name) => {
    const file = join(await newFolder(), name);
    const whole = await readFile(weights);
    await writeFile(file, whole.subarray(0, 10_000));
    expect(await refused({ weights: file }, 2)).toContain(name);
    await writeFile(file, 'no weights');
    expect(await refused({ weights: file }, 2)).toContain(name);
    await writeFile(file, '');
    expect(await refused({ weights: file }, 2)).toContain(name);
  });

  test('a file without the layers that are asked for', async () => {
    const said = await refused({ more: ['--layers', '..block2_conv1'] }, 2);
    expect(said).toContain('block2_conv1');
    expect(said).toContain('use --layers ..block1_conv2');
  });

  test('weights of another flavour than there are', async () => {
    expect(await refused({ weights: 'synthetic', more: ['--flavour', 'torchvision'] }, 2)).toContain('keras');
  });

  test('a download that cannot be had', async () => {
    const cache = await newFolder();
    const environment = { FILTERSCOPE_WEIGHTS_URL: await closedPort(), FILTERSCOPE_CACHE: cache };
    const said = await refused({ weights: 'imagenet', surroundings: { environment } }, 5);
    expect(said).toContain('127.0.0.1');
    expect(await readdir(cache)).toEqual([]);
  });
});

describe('every file of ../shared/data/nasty', () => {
  const nasty = new URL('../../../shared/data/nasty/', import.meta.url).pathname;
  test('ends as ok, failed or skipped with a code and a sentence, and stops nothing', async (context) => {
    if (!existsSync(nasty)) skip(context, '../shared/data/nasty is not beside the repository');
    const output = await newFolder();
    const settings = ['--weights', weights, '--layers', 'block1_conv1', '--grids', 'none'];
    const summary = await askJson<Record<string, number>>(['analyze', nasty, '-o', output, ...settings], 3);
    const files = (await readdir(nasty)).length;
    expect(summary['images']).toBe(files);
    expect(summary['ok'] + summary['failed'] + summary['skipped']).toBe(files);
    interface Row {
      readonly image: string;
      readonly status: string;
      readonly code: string | null;
      readonly message: string | null;
    }
    const failures = await askJson<Row[]>(['failures', 'latest', '-o', output]);
    for (const { code, message } of failures) {
      expect(code).toMatch(/^[a-z-]+$/);
      expect(message).toMatch(/^\S+ \S+ .*\S$/);
    }
    const codes = Object.fromEntries(failures.map(({ image, code }) => [image, code]));
    expect(codes).toMatchObject({
      'made-empty.jpg': 'empty',
      'made-not-an-image.jpg': 'not-an-image',
      'made-truncated-half.jpg': 'truncated',
      'sharp-check.svg': 'unsupported-format',
      'sources.json': 'not-image-name',
    });
    expect(codes['made-png-named.jpg']).toBeUndefined();
    const { stdout } = await filterscope(['failures', 'latest', '-o', output]);
    expectPage(stdout);
  });
});

/** The address of a port of this machine on which nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}/weights.h5`;
}

function skip(context: TestContext, reason: string): never {
  console.log(`skipped: ${reason}`);
  return context.skip(reason);
}
