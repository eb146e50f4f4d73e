import { expect, test } from 'vitest';
import { LAYERS } from './layers.ts';
import { fieldInPicture, receptiveField, receptiveFieldShape } from './receptive-field.ts';

test('sizes and jumps are the known ones of VGG16', () => {
  const shapes = LAYERS.map((layer) => receptiveFieldShape(layer));
  expect(shapes.map(({ size }) => size)).toEqual([3, 5, 10, 14, 24, 32, 40, 60, 76, 92, 132, 164, 196]);
  expect(shapes.map(({ jump }) => jump)).toEqual([1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 16, 16, 16]);
});

test('a field lies where following the layers back position by position leads', () => {
  for (const [index, layer] of LAYERS.entries()) {
    for (const position of [0, 3, layer.size - 1]) {
      let [first, last] = [position, position];
      for (const { pooled } of LAYERS.slice(0, index).toReversed()) {
        [first, last] = [first - 1, last + 1];
        if (pooled) [first, last] = [first * 2, last * 2 + 1];
      }
      [first, last] = [first - 1, last + 1];
      const field = receptiveField(layer, position, 0);
      expect([field.top, field.top + field.size - 1]).toEqual([first, last]);
      expect(receptiveField(layer, 0, position).left).toBe(first);
    }
  }
});

test('a position outside the map is refused', () => {
  expect(() => receptiveField(LAYERS[12], 14, 0)).toThrow('block5_conv3 has no position (14, 0)');
  expect(() => receptiveField(LAYERS[12], 0, -1)).toThrow('from 0 to 13');
});

test('what of a field lies in the picture', () => {
  expect(fieldInPicture(LAYERS[0], 0)).toEqual({ left: 0, top: 0, width: 2, height: 2 });
  expect(fieldInPicture(LAYERS[0], 224 * 223 + 5)).toEqual({ left: 4, top: 222, width: 3, height: 2 });
  expect(fieldInPicture(LAYERS[12], 14 * 6 + 13)).toEqual({ left: 118, top: 6, width: 106, height: 196 });
  expect(() => fieldInPicture(LAYERS[12], 196)).toThrow('no position');
});
