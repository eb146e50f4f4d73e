import { expect, test } from 'vitest';
import { syntheticWeights } from '@filterscope/vgg16/synthetic';
import type { ConvolutionWeights } from '@filterscope/vgg16/weights';
import { weightsChecks } from './weights-checks.ts';

const synthetic = syntheticWeights();
const first = synthetic.layers.get('block1_conv1')!;
const withFirst = (layer: ConvolutionWeights, name: string, flavour: 'keras' | 'torchvision') => ({
  flavour,
  synthetic: false,
  name,
  layers: new Map([['block1_conv1', layer]]),
});
const statuses = (checks: ReturnType<typeof weightsChecks>) =>
  checks.map(({ check, status }) => [check, status]);

test('the made-up network is itself, whole or in part, and one changed bit is not', () => {
  const part = { ...synthetic, layers: new Map([['block1_conv1', first]]) };
  for (const weights of [synthetic, part])
    expect(statuses(weightsChecks(weights))).toEqual([['weights: synthetic', 'holds']]);
  const kernel = first.kernel.map((value, i) => (i === 3 ? -value : value));
  const changed = { ...synthetic, layers: new Map([['block1_conv1', { ...first, kernel }]]) };
  expect(statuses(weightsChecks(changed))).toEqual([['weights: synthetic', 'fails']]);
});

test('Keras’s are told by their biases, and every known value counts', () => {
  const bias = first.bias.slice();
  bias.set([
    0.73429835, 0.093403675, 0.06775674, 0.8862966, 0.25994542, 0.66426694, -0.015828926, 0.3249065,
    0.68600726, 0.062479325,
  ]);
  const kernel = first.kernel.slice();
  const known = [
    0.42947057, 0.373467, -0.061360113, 0.27476987, 0.038680777, -0.36722335, -0.05746817, -0.26224968,
    -0.35009676,
  ];
  for (const [tap, value] of known.entries()) kernel[tap * 3 * 64] = value;
  expect(statuses(weightsChecks(withFirst({ kernel, bias }, 'file', 'keras')))).toEqual([
    ['weights: flavour', 'holds'],
    ['weights: ImageNet', 'holds'],
  ]);
  kernel[8 * 3 * 64] += 1e-6;
  expect(statuses(weightsChecks(withFirst({ kernel, bias }, 'file', 'torchvision')))).toEqual([
    ['weights: flavour', 'fails'],
    ['weights: ImageNet', 'fails'],
  ]);
});

test('of other weights nothing is known', () => {
  expect(weightsChecks(withFirst(first, 'mine.h5', 'keras'))).toMatchObject([
    { check: 'weights: ImageNet', status: 'not-applicable', deviation: null },
  ]);
});
