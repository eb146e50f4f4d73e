import { describe, expect, test, vi } from 'vitest';
import { openFolderStore } from '@filterscope/storage/folder-store';
import type { Check } from '@filterscope/verification/check';
import { askJson, filterscope } from '../support/run-filterscope.ts';
import { writePhotos } from '../support/sample-photos.ts';
import { sharedDataPath } from '../support/shared-data.ts';
import { writeSmallWeights } from '../support/small-weights.ts';
import { temporaryFolders } from '../support/temporary-folders.ts';

// `verify` as it is called. That its checks fail where something is wrong: test/numbers/verification.test.ts.

vi.setConfig({ testTimeout: 300_000 }); // a whole network each, on machines that do other things too

const newFolder = temporaryFolders();
const statuses = (checks: readonly Check[]) =>
  Object.fromEntries(checks.map(({ check, status }) => [check, status]));

describe('the command', () => {
  const NETWORK = {
    'convolution: first layer': 'holds',
    'convolution: deeper layers': 'holds',
    readings: 'holds',
    tiles: 'holds',
    'padding: one colour': 'holds',
    'pooling: translation': 'holds',
    winograd: 'holds',
  };
  const STORE = { 'store: create once': 'holds', 'store: read back': 'holds' };

  test('the made-up network: all that applies holds, the rest says why it does not', async () => {
    const output = await newFolder();
    const checks = await askJson<Check[]>(['verify', '--weights', 'synthetic', '-o', output]);
    expect(Object.keys(checks[0])).toEqual(['check', 'status', 'deviation', 'tolerance', 'detail']);
    expect(statuses(checks)).toEqual({
      'weights: synthetic': 'holds',
      ...NETWORK,
      'zero shares: published': 'not-applicable',
      ...STORE,
    });
    const published = checks.find(({ check }) => check === 'zero shares: published');
    expect(published).toMatchObject({
      deviation: null,
      tolerance: null,
      detail: expect.stringContaining('made up') as string,
    });
    for (const { deviation, tolerance } of checks)
      if (deviation !== null) expect(deviation).toBeLessThanOrEqual(tolerance!);
    expect(await Array.fromAsync(openFolderStore(output).list(''))).toEqual([]);
  });

  test('a file of two layers, and a run made with it', async () => {
    const [dataset, output] = [await newFolder(), await newFolder()];
    await writePhotos(dataset, 4);
    const weights = await writeSmallWeights(await newFolder());
    const analyze = [
      'analyze',
      dataset,
      '-o',
      output,
      '--weights',
      weights,
      '--layers',
      '..block1_conv2',
      '--grids',
      'none',
    ];
    expect((await filterscope(analyze)).code).toBe(0);
    const checks = await askJson<Check[]>(['verify', 'latest', '-o', output]);
    expect(statuses(checks)).toMatchObject({
      ...NETWORK,
      'run: weights': 'holds',
      'run: sums': 'holds',
      'run: readings': 'holds',
      ...STORE,
    });
    expect(checks.find(({ check }) => check === 'run: readings')?.detail).toContain('of 3 images');
  });
});

const keras = sharedDataPath('weights/vgg16-keras-blocks1-2.safetensors');
const verify = (...args: string[]) => filterscope(['verify', '--weights', keras!, '--json', ...args]);

describe.skipIf(keras === undefined)('real weights', () => {
  test('are recognised, and zero shares of the sample photographs agree with the published ones', async () => {
    const { code, stdout } = await verify('-o', await newFolder());
    const checks = JSON.parse(stdout) as Check[];
    expect(checks.filter(({ status }) => status !== 'holds')).toEqual([]);
    expect(statuses(checks)).toMatchObject({
      'weights: ImageNet': 'holds',
      'zero shares: published': 'holds',
    });
    expect(code).toBe(0);
  });

  test('seen as the other flavour they do not hold, and the exit code is 1', async () => {
    const { code, stdout } = await verify('--flavour', 'torchvision', '-o', await newFolder());
    const failed = (JSON.parse(stdout) as Check[]).filter(({ status }) => status === 'fails');
    expect(failed.map(({ check }) => check)).toEqual(['weights: flavour', 'zero shares: published']);
    expect(code).toBe(1);
  });
});
