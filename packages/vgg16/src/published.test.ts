import { expect, test } from 'vitest';
import { LAYERS } from './layers.ts';
import { PUBLISHED_ZERO_SHARES } from './published.ts';

test('Keras: all thirteen layers, as fractions', () => {
  const { keras } = PUBLISHED_ZERO_SHARES;
  expect([...keras.keys()]).toEqual(LAYERS.map(({ layer }) => layer));
  expect(keras.get('block1_conv2')).toBeCloseTo(0.3136);
  expect(keras.get('block5_conv3')).toBeCloseTo(0.932);
});

test('torchvision: the first four layers', () => {
  const names = ['block1_conv1', 'block1_conv2', 'block2_conv1', 'block2_conv2'];
  expect([...PUBLISHED_ZERO_SHARES.torchvision.keys()]).toEqual(names);
  expect(PUBLISHED_ZERO_SHARES.torchvision.get('block2_conv2')).toBeCloseTo(0.6875);
});
