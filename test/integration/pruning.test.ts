import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { codeBlocks, section } from '../support/documented.ts';
import { filterscope, askJson } from '../support/run-filterscope.ts';
import { readStoredRun, type StoredRun } from '../support/stored-run.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';
import { toldRun } from '../support/told-run.ts';

const newFolder = temporaryFolders();
let output: string;
let stored: StoredRun;
let run: string;
beforeAll(async () => {
  output = await newFolder();
  ({ run } = (await toldRun(await newFolder(), output)).document);
  stored = await readStoredRun(output, run);
});

interface Mask {
  readonly run: string;
  readonly rule: string;
  readonly images: number;
  readonly deadBound: number;
  readonly dropped: number;
  readonly warnings: string[];
  readonly weights: { readonly sha256: string };
  readonly layers: Record<string, { filters: number; kept: number; drop: number[] }>;
}
const exported = (rule: string, ...more: string[]) =>
  filterscope(['export', 'latest', '-o', output, '--rule', rule, ...more]);

/** Filters whose readings, summed naively, satisfy a condition. */
function filtersWhere(layer: string, condition: (zeroShare: number, blankRate: number) => boolean): number[] {
  const zeros = stored.readings.map((row) => row[`${layer}_zeros`] as Uint16Array);
  return Array.from({ length: 64 }, (_, filter) => filter).filter((filter) => {
    const shares = zeros.map((list) => list[filter] / 50_176);
    return condition(
      shares.reduce((a, b) => a + b) / shares.length,
      shares.filter((share) => share === 1).length / shares.length,
    );
  });
}

test('the filters that the readings themselves say, with run, weights, n and bound', async () => {
  const mask = await askJson<Mask>([
    'export',
    'latest',
    '-o',
    output,
    '--rule',
    'zeros > 0.9 or blank > 50%',
  ]);
  for (const layer of ['block1_conv1', 'block1_conv2']) {
    const drop = filtersWhere(layer, (zeros, blank) => zeros > 0.9 || blank > 0.5);
    expect(drop).toEqual(expect.arrayContaining([0, 1, 7]));
    expect(mask.layers[layer]).toEqual({ filters: 64, kept: 64 - drop.length, drop });
  }
  expect(mask).toMatchObject({
    run,
    rule: 'zeros > 0.9 or blank > 0.5',
    images: 24,
    deadBound: expect.closeTo(1 - 0.05 ** (1 / 24), 12) as number,
  });
  expect(mask.weights.sha256).toMatch(/^[0-9a-f]{64}$/);
  expect(mask.warnings).toEqual([
    expect.stringContaining(
      'Only 24 images: a filter blank on all of them may still fire on 11.7 % of others',
    ),
    expect.stringContaining('synthetic'),
  ]);
});

test('a whole layer is not dropped without a word', async () => {
  const { code, stdout, stderr } = await exported('zeros >= 0');
  expect(code).toBe(0);
  const words = 'The rule drops every filter of block1_conv1, block1_conv2';
  expect(stderr).toContain(`Warning: ${words}`);
  expect((JSON.parse(stdout) as Mask).warnings[0]).toContain(words);
  expect((await exported('dead')).stderr).not.toContain('every filter');
});

test('says on standard error what is dropped where', async () => {
  const { stderr } = await exported('dead', '--format', 'csv');
  expect(stderr).toContain(
    'dead: drops 2 of 128 filters, judged on 24 images.\n  block1_conv1  1 of 64\n  block1_conv2  1 of 64\n',
  );
});

test('to a file, with an answer about it', async () => {
  const file = join(await newFolder(), 'new folder/filters.csv');
  const answer = await askJson<Mask>([
    'export',
    'latest',
    '-o',
    output,
    '--rule',
    'dead',
    '--format',
    'csv',
    '--to',
    file,
  ]);
  expect(answer).toMatchObject({ file, format: 'csv', run, rule: 'dead', filters: 128, dropped: 2 });
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  expect(lines).toHaveLength(129);
  expect(
    lines.filter((line) => line.endsWith(',true')).map((line) => line.split(',').slice(0, 2).join('/')),
  ).toEqual(['block1_conv1/0', 'block1_conv2/0']);
});

test('a rule that cannot be read ends with 2 and a caret', async () => {
  const { code, stdout, stderr } = await exported('zeros > 90');
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toBe(
    'filterscope: the rule cannot be read: a share is from 0 to 1; write 90% or 0.9\n  zeros > 90\n          ^\n',
  );
});

/** What the scripts say first. */
const kept = () =>
  ['block1_conv1', 'block1_conv2'].map(
    (layer) => `${layer}: keeps ${64 - filtersWhere(layer, (zeros) => zeros > 0.9).length} of 64`,
  );

/** The network that torchvision calls vgg16, with weights of its own. */
const STAND_IN = `import torch
def vgg16(weights):
    torch.manual_seed(1)
    layers, channels = [], 3
    for size in [64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0]:
        if size == 0:
            layers.append(torch.nn.MaxPool2d(2))
        else:
            layers += [torch.nn.Conv2d(channels, size, 3, padding=1), torch.nn.ReLU(inplace=True)]
            channels = size
    model = torch.nn.Module()
    model.features = torch.nn.Sequential(*layers)
    return model
`;

const available = (module: string, env = {}) =>
  spawnSync('python3', ['-c', `import ${module}`], { env: { ...process.env, ...env } }).status === 0;

/** Lines that a script of the page prints, with more lines of code behind it. */
async function runScript(heading: string, more: string, env = {}) {
  const folder = await newFolder();
  await askJson([
    'export',
    'latest',
    '-o',
    output,
    '--rule',
    'zeros > 0.9',
    '--format',
    'npz',
    '--to',
    join(folder, 'mask.npz'),
  ]);
  await mkdir(join(folder, 'torchvision'));
  await writeFile(join(folder, 'torchvision/models.py'), STAND_IN);
  // Without it an installed torchvision would come first, and download its weights.
  await writeFile(join(folder, 'torchvision/__init__.py'), '');
  const [script] = codeBlocks(section('pruning.md', heading), 'python');
  await writeFile(
    join(folder, 'script.py'),
    script.replace('VGG16(weights="imagenet")', 'VGG16(weights=None, include_top=False)') + more,
  );
  const { stdout, stderr, status } = spawnSync('python3', ['script.py'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  expect(status, stderr).toBe(0);
  return stdout.trim().split('\n');
}

describe('the scripts of docs/pruning.md', () => {
  test.skipIf(!available('torch'))(
    'PyTorch: dropped filters are silent, and stay so while the rest learns',
    { timeout: 300_000 },
    async () => {
      const lines = await runScript(
        'PyTorch',
        `
x = torch.randn(2, 3, 32, 32)
original = vgg16(None).features[0](x)
optimizer = torch.optim.SGD(model.features.parameters(), lr=0.1)
for step in range(2):
    a = x
    for i, module in enumerate(model.features[:5]):
        a = module(a)
        if isinstance(module, torch.nn.ReLU):
            name = names[i // 2]
            silent = (a.amax(dim=(0, 2, 3)) == 0).numpy()
            print(name, step, (silent[~keep[name]]).all(), silent[keep[name]].any())
        elif step == 0 and i == 0:
            kept = keep["block1_conv1"]
            print((a[:, kept] == original[:, kept]).all().item())
    a.mean().backward()
    optimizer.step()
`,
      );
      expect(lines).toEqual([
        ...kept(),
        'True',
        ...[0, 1].flatMap((step) =>
          ['block1_conv1', 'block1_conv2'].map((name) => `${name} ${step} True False`),
        ),
      ]);
    },
  );

  const numpyBackend = { KERAS_BACKEND: 'numpy' };
  test.skipIf(!available('keras', numpyBackend))(
    'Keras: dropped filters are silent',
    { timeout: 300_000 },
    async () => {
      const lines = await runScript(
        'Keras',
        `
import keras
x = np.random.default_rng(1).normal(size=(1, 32, 32, 3)).astype("float32")
outputs = [model.get_layer(name).output for name in ["block1_conv1", "block1_conv2"]]
for name, a in zip(["block1_conv1", "block1_conv2"], keras.Model(model.inputs, outputs)(x)):
    silent = np.asarray(a).max(axis=(0, 1, 2)) == 0
    print(name, silent[~keep[name]].all(), silent[keep[name]].any())
`,
        numpyBackend,
      );
      expect(lines).toEqual([...kept(), 'block1_conv1 True False', 'block1_conv2 True False']);
    },
  );
});
