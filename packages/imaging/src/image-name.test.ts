import { expect, test } from 'vitest';
import { hasImageName } from './image-name.ts';

test.each([
  'a.jpg',
  'n01440764/x.JPEG',
  'a/b.c/d.Png',
  'x.tar.webp',
  'bild ü.TIF',
  'logo.svg',
  'a.heic',
  'a.jp2',
])('%s names an image', (key) => expect(hasImageName(key)).toBe(true));

test.each([
  '',
  'a/',
  'a.jpg/',
  '.jpg',
  'a/.png',
  'jpg',
  'labels.csv',
  'a.jpg.txt',
  'photo.',
  'x.jpg/readme',
  'favicon.ico',
])('%s does not', (key) => expect(hasImageName(key)).toBe(false));
