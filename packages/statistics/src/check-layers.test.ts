import { expect, test } from 'vitest';
import { checkLayers } from './check-layers.ts';

test('the layers of VGG16 and the largest that fit are accepted', () => {
  checkLayers([{ layer: 'block1_conv1', filters: 64, positions: 224 * 224 }]);
  checkLayers([{ layer: 'large', filters: 1024, positions: 65_535 }]);
});

test.each([
  [0, 4],
  [1.5, 4],
  [1, 0],
  [1, 65_536],
  [1025, 65_535],
  [65_536, 4],
])('%d filters of %d positions are refused', (filters, positions) => {
  expect(() => checkLayers([{ layer: 'a', filters, positions }])).toThrow(RangeError);
});
