import type { ImageFormat } from './image-signature.ts';
import { takeTurns } from './take-turn.ts';

/**
 * Whether the bytes end before the format's own structure says they do: a download or a copy that broke off. `false`
 * where the structure is whole or too damaged to tell. Reads lengths and markers only; never throws. A hostile file has
 * millions of them: lets the event loop turn in between.
 */
export async function endsEarly(bytes: Uint8Array, format: ImageFormat): Promise<boolean> {
  const walk = WALKS[format](bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  const pause = await takeTurns();
  for (;;) {
    const step = walk.next();
    if (step.done) return step.value;
    await pause();
  }
}

/** Pauses each time that {@link STEPS} lengths or markers have been read; ends with the answer. */
type Walk = Generator<undefined, boolean>;
const STEPS = 16_384;

const WALKS: Readonly<Record<ImageFormat, (bytes: Uint8Array, view: DataView) => Walk>> = {
  jpeg: jpegEndsEarly,
  png: (_, view) => pngEndsEarly(view),
  gif: gifEndsEarly,
  webp: (_, view) => webpEndsEarly(view),
  tiff: (_, view) => tiffEndsEarly(view),
  avif: boxesEndEarly,
};

// oxlint-disable-next-line require-yield -- as the others, though it reads one length
function* webpEndsEarly(view: DataView): Walk {
  return view.byteLength < 12 || view.getUint32(4, true) + 8 > view.byteLength;
}

/** Walks the segments, so that the end marker of an embedded thumbnail is not taken for the picture's. */
function* jpegEndsEarly(bytes: Uint8Array): Walk {
  let at = 2;
  for (let step = 1; ; step++) {
    if (step % STEPS === 0) yield;
    at = bytes.indexOf(0xff, at);
    if (at < 0) return true;
    while (bytes[at] === 0xff) at++;
    if (at >= bytes.length) return true;
    const marker = bytes[at++];
    if (marker === 0xd9) return false;
    const standalone = marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd8); // stuffed zero, TEM, restarts, start
    if (standalone) continue;
    if (at + 2 > bytes.length) return true;
    const length = (bytes[at] << 8) | bytes[at + 1];
    if (length < 2) return false;
    at += length; // behind a start of scan follow coded bytes, in which the search for the next marker goes on
  }
}

function* pngEndsEarly(view: DataView): Walk {
  let at = 8;
  for (let step = 1; at + 12 <= view.byteLength; step++) {
    if (step % STEPS === 0) yield;
    const length = view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (type === 0x49454e44) return false; // IEND
    if (length > 0x7fffffff || !isChunkType(view, at + 4)) return false;
    at += 12 + length;
  }
  return true;
}

function isChunkType(view: DataView, at: number): boolean {
  for (let i = 0; i < 4; i++) {
    const letter = view.getUint8(at + i) | 0x20;
    if (letter < 0x61 || letter > 0x7a) return false;
  }
  return true;
}

/** The first frame has to be there; animations are read by their first frame only. */
function* gifEndsEarly(bytes: Uint8Array): Walk {
  if (bytes.length < 13) return true;
  let at = 13 + colourTableBytes(bytes[10]);
  let step = 0;
  while (at < bytes.length) {
    if (++step % STEPS === 0) yield;
    const block = bytes[at];
    if (block === 0x3b) return false; // trailer
    if (block !== 0x21 && block !== 0x2c) return false;
    const isFrame = block === 0x2c;
    if (isFrame && at + 10 > bytes.length) return true;
    at += isFrame ? 11 + colourTableBytes(bytes[at + 9]) : 2;
    // sub-blocks up to an empty one
    while (at < bytes.length && bytes[at] !== 0) {
      if (++step % STEPS === 0) yield;
      at += 1 + bytes[at];
    }
    if (at >= bytes.length) return true;
    if (isFrame) return false;
    at++;
  }
  return true;
}

function colourTableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1);
}

/** Bytes of a value by its type in a TIFF directory. */
const TIFF_TYPE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];

/** Tags of the offsets and lengths of strips and of tiles. */
const TIFF_DATA = { offsets: [273, 324], lengths: [279, 325] };

/** Classic TIFF: the first directory, its values, and the strips or tiles that it names must lie inside the file. */
function* tiffEndsEarly(view: DataView): Walk {
  const end = view.byteLength;
  if (end < 8) return true;
  const little = view.getUint16(0) === 0x4949;
  if (view.getUint16(2, little) !== 42) return false;
  const directory = view.getUint32(4, little);
  if (directory + 2 > end) return true;
  const entries = view.getUint16(directory, little);
  if (directory + 2 + entries * 12 > end) return true;
  let offsets = NO_NUMBERS;
  let lengths = NO_NUMBERS;
  for (let i = 0; i < entries; i++) {
    const entry = directory + 2 + i * 12;
    const tag = view.getUint16(entry, little);
    const type = view.getUint16(entry + 2, little);
    const count = view.getUint32(entry + 4, little);
    const size = count * (TIFF_TYPE_BYTES[type] ?? 0);
    const at = size <= 4 ? entry + 8 : view.getUint32(entry + 8, little);
    if (at + size > end) return true;
    if (TIFF_DATA.offsets.includes(tag)) offsets = tiffNumbers(view, at, type, count, little);
    if (TIFF_DATA.lengths.includes(tag)) lengths = tiffNumbers(view, at, type, count, little);
  }
  for (let i = 0; i < offsets.count; i++) {
    if ((i + 1) % STEPS === 0) yield;
    if (offsets.at(i) + (i < lengths.count ? lengths.at(i) : 0) > end) return true;
  }
  return false;
}

interface TiffNumbers {
  readonly count: number;
  readonly at: (index: number) => number;
}
const NO_NUMBERS: TiffNumbers = { count: 0, at: () => 0 };

/** Numbers of 16 bits (type 3) or 32 (type 4); none of another type. */
function tiffNumbers(view: DataView, at: number, type: number, count: number, little: boolean): TiffNumbers {
  if (type === 3) return { count, at: (i) => view.getUint16(at + i * 2, little) };
  if (type === 4) return { count, at: (i) => view.getUint32(at + i * 4, little) };
  return NO_NUMBERS;
}

const MDAT = 0x6d_64_61_74;
const META = 0x6d_65_74_61;

/**
 * The boxes of an ISO media file; a size of 0 means up to the end, of 1 that 64 bits follow. A file that ends between two
 * boxes before the pictures' data, which are in a box `mdat` or in `idat` within `meta`, has lost them.
 */
function* boxesEndEarly(bytes: Uint8Array, view: DataView): Walk {
  let at = 0;
  let hasData = false;
  for (let step = 1; at < view.byteLength; step++) {
    if (step % STEPS === 0) yield;
    if (at + 8 > view.byteLength) return true;
    let size = view.getUint32(at);
    const type = view.getUint32(at + 4);
    if (size === 0) return false;
    if (size === 1) {
      if (at + 16 > view.byteLength) return true;
      size = Number(view.getBigUint64(at + 8));
    }
    if (size < 8) return false;
    hasData ||= type === MDAT || (type === META && holdsIdat(bytes.subarray(at, at + size)));
    at += size;
  }
  return at > view.byteLength || !hasData;
}

function holdsIdat(box: Uint8Array): boolean {
  return Buffer.from(box.buffer, box.byteOffset, box.byteLength).includes('idat', 0, 'latin1');
}
