/** The formats that are decoded. */
export type ImageFormat = 'jpeg' | 'png' | 'gif' | 'webp' | 'tiff' | 'avif';

/** What the first bytes say: a format that is decoded, one that is known and refused, or none that is known. */
export type Signature =
  | { readonly kind: 'decoded'; readonly format: ImageFormat }
  | { readonly kind: 'refused'; readonly name: string }
  | { readonly kind: 'unknown' };

const DECODED: readonly (readonly [ImageFormat, string])[] = [
  ['jpeg', '\xff\xd8\xff'],
  ['png', '\x89PNG\r\n\x1a\n'],
  ['gif', 'GIF87a'],
  ['gif', 'GIF89a'],
  ['tiff', 'II*\0'],
  ['tiff', 'MM\0*'],
  ['tiff', 'II+\0'],
  ['tiff', 'MM\0+'],
];

const REFUSED: readonly (readonly [string, string])[] = [
  ['PDF', '%PDF-'],
  ['JPEG 2000', '\0\0\0\x0cjP  \r\n\x87\n'],
  ['JPEG 2000', '\xff\x4f\xff\x51'],
  ['JPEG XL', '\xff\x0a'],
  ['JPEG XL', '\0\0\0\x0cJXL \r\n\x87\n'],
  ['Photoshop', '8BPS'],
  ['icon', '\0\0\x01\0'],
  ['OpenEXR', 'v/1\x01'],
  ['Radiance HDR', '#?RADIANCE'],
  ['PostScript', '%!PS'],
];

/** Pages, scripts and drawings begin with text: this much of it is looked at for `<svg`. */
const TEXT_BYTES = 4096;

/** Tells an image's format from its first bytes; names and content types are not believed. Never throws. */
export function imageSignature(bytes: Uint8Array): Signature {
  const head = latin1(bytes.subarray(0, 32));
  for (const [format, magic] of DECODED) if (head.startsWith(magic)) return { kind: 'decoded', format };
  if (head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP') return { kind: 'decoded', format: 'webp' };
  for (const [name, magic] of REFUSED) if (head.startsWith(magic)) return { kind: 'refused', name };
  if (head.slice(4, 8) === 'ftyp') return isoMedia(bytes);
  // "BM" alone begins ordinary words: the four reserved bytes are 0 in every BMP
  if (head.startsWith('BM') && head.slice(6, 10) === '\0\0\0\0') return { kind: 'refused', name: 'BMP' };
  if (/^P[1-7][\s#]/.test(head)) return { kind: 'refused', name: 'PNM' };
  if (isSvg(bytes)) return { kind: 'refused', name: 'SVG' };
  return { kind: 'unknown' };
}

/** HEIF containers differ by brand: only AV1-coded pictures are decoded; HEVC has no free decoder in the build. */
function isoMedia(bytes: Uint8Array): Signature {
  const size = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
  const box = latin1(bytes.subarray(8, Math.min(size, 256)));
  const brands = [box.slice(0, 4)];
  for (let at = 8; at + 4 <= box.length; at += 4) brands.push(box.slice(at, at + 4));
  if (brands.some((brand) => brand === 'avif' || brand === 'avis'))
    return { kind: 'decoded', format: 'avif' };
  if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand)))
    return { kind: 'refused', name: 'HEIC' };
  return { kind: 'unknown' };
}

function isSvg(bytes: Uint8Array): boolean {
  const text = latin1(bytes.subarray(0, TEXT_BYTES));
  // gzip: compressed drawings (svgz) cannot be told from other archives and stay unknown
  return /^(\xef\xbb\xbf)?\s*</.test(text) && /<svg[\s>]/i.test(text) && !/<html[\s>]/i.test(text);
}

function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
