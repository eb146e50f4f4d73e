import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitGeometry } from './fit-geometry.ts';

test.each([
  // [width, height] → what torchvision's Resize(256) and CenterCrop(224) compute
  [500, 375, { width: 341, height: 256, left: 58, top: 16 }],
  [375, 500, { width: 256, height: 341, left: 16, top: 58 }],
  [343, 256, { width: 343, height: 256, left: 60, top: 16 }],
  [10, 1000, { width: 256, height: 25600, left: 16, top: 12688 }],
  [1, 1, { width: 256, height: 256, left: 16, top: 16 }],
])('crop of %i×%i', (width, height, expected) =>
  expect(fitGeometry(width, height, 'crop')).toEqual(expected),
);

test('stretch takes the whole picture', () => {
  expect(fitGeometry(500, 375, 'stretch')).toEqual({ width: 224, height: 224, left: 0, top: 0 });
});

test('the square lies inside, in the middle', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9000 }), fc.integer({ min: 1, max: 9000 }), (width, height) => {
      const fitted = fitGeometry(width, height, 'crop');
      expect(Math.min(fitted.width, fitted.height)).toBe(256);
      expect(Math.abs(fitted.left * 2 - (fitted.width - 224))).toBeLessThanOrEqual(1);
      expect(Math.abs(fitted.top * 2 - (fitted.height - 224))).toBeLessThanOrEqual(1);
    }),
  );
});
