import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { imageSignature } from './image-signature.ts';

const bytes = (text: string) => Uint8Array.from(text, (unit) => unit.charCodeAt(0));

test.each([
  ['\xff\xd8\xff\xe0', 'jpeg'],
  ['\x89PNG\r\n\x1a\n', 'png'],
  ['GIF89a', 'gif'],
  ['RIFF\x10\0\0\0WEBPVP8 ', 'webp'],
  ['II*\0', 'tiff'],
  ['\0\0\0\x1cftypavif\0\0\0\0mif1', 'avif'],
  ['\0\0\0\x18ftypmif1\0\0\0\0avifmiaf', 'avif'],
])('%j is decoded', (text, format) => {
  expect(imageSignature(bytes(text))).toEqual({ kind: 'decoded', format });
});

test.each([
  ['<svg xmlns="http://www.w3.org/2000/svg">', 'SVG'],
  ['\xef\xbb\xbf\n<?xml version="1.0"?><!-- x --><svg>', 'SVG'],
  ['%PDF-1.7', 'PDF'],
  ['BM\x36\0\0\0\0\0\0\0', 'BMP'],
  ['\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'HEIC'],
  ['\0\0\0\x0cjP  \r\n\x87\n', 'JPEG 2000'],
  ['\xff\x0a', 'JPEG XL'],
  ['P6\n2 2\n255\n', 'PNM'],
])('%j is refused by name', (text, name) => {
  expect(imageSignature(bytes(text))).toEqual({ kind: 'refused', name });
});

test.each(['<!doctype html><html><svg></svg>', 'BMW', 'RIFF\x10\0\0\0WAVE', '\0\0\0\x18ftypisom', 'GIF', ''])(
  '%j is no image',
  (text) => expect(imageSignature(bytes(text))).toEqual({ kind: 'unknown' }),
);

test('never throws', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (any) => imageSignature(any) !== undefined));
});
