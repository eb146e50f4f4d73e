import { expect, test } from 'vitest';
import { LAYERS } from './layers.ts';
import { SYNTHETIC_CONSTANTS } from './synthetic-constants.ts';
import { syntheticWeights } from './synthetic.ts';
import { canonicalWeights, parseWeights, requireLayers } from './weights-file.ts';

const weights = syntheticWeights();

test('the same numbers everywhere and for ever, and a name that says what they are', () => {
  expect(weights).toMatchObject({ flavour: 'keras', synthetic: true, name: 'synthetic' });
  const { sha256 } = canonicalWeights(weights);
  expect(sha256).toBe('02f22adf75b892d760c03bfb2e0e49068e220899bd35d9138b2deb752233fc37');
});

test('all thirteen layers, each with a kernel and a bias of its own shape', () => {
  requireLayers(weights, LAYERS);
  expect(SYNTHETIC_CONSTANTS).toHaveLength(LAYERS.length);
  for (const { layer, inputs, filters } of LAYERS) {
    expect(weights.layers.get(layer)?.kernel).toHaveLength(9 * inputs * filters);
    expect(weights.layers.get(layer)?.bias).toHaveLength(filters);
  }
});

test('a kernel answers neither to brightness nor, much, to what does not vary over space', () => {
  for (const { layer, inputs, filters } of LAYERS) {
    const kernel = weights.layers.get(layer)?.kernel ?? new Float32Array();
    for (const filter of [0, filters - 1]) {
      let sum = 0;
      let largest = 0;
      for (let at = filter; at < kernel.length; at += filters) {
        sum += kernel[at];
        largest = Math.max(largest, Math.abs(kernel[at]));
      }
      expect(Math.abs(sum) / (9 * inputs)).toBeLessThan(1e-6 * largest);
    }
  }
});

test('the file of it is recognised as synthetic', async () => {
  const { bytes, sha256 } = canonicalWeights(weights);
  const again = await parseWeights(bytes, 'weights.safetensors');
  expect(again).toMatchObject({ flavour: 'keras', synthetic: true, name: 'synthetic' });
  expect(canonicalWeights(again).sha256).toBe(sha256);
});
