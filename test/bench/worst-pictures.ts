import sharp from 'sharp';
import type { Fit } from '@filterscope/imaging/fit-geometry';

/** Pictures within all limits that are the longest work for our own code, rather than for a decoder. */
export async function worstPictures(): Promise<Record<string, { bytes: Uint8Array; fit: Fit }>> {
  const stretch = 'stretch' as const;
  return {
    'tall, enlarged across': { bytes: await png(223, 286_000), fit: stretch },
    'one pixel wide': { bytes: await png(1, 9_999_999), fit: stretch },
    'wide, enlarged down': { bytes: await png(9_999_999, 6), fit: stretch },
    'a JPEG of nothing but stuffed bytes': { bytes: await stuffedJpeg(120e6), fit: stretch },
    'a PNG of empty chunks': { bytes: emptyChunks(await png(100, 100), 120e6), fit: stretch },
  };
}

function png(width: number, height: number): Promise<Uint8Array> {
  return sharp({ create: { width, height, channels: 3, background: '#456' }, limitInputPixels: false })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** A JPEG whose coded bytes are `ff 00` throughout: a marker to look at in every second byte. */
async function stuffedJpeg(sizeBytes: number): Promise<Uint8Array> {
  const jpeg = await sharp({ create: { width: 100, height: 100, channels: 3, background: '#456' } })
    .jpeg()
    .toBuffer();
  const bytes = Buffer.alloc(sizeBytes, Buffer.from([0xff, 0x00]));
  bytes.set(jpeg.subarray(0, -2));
  bytes.set([0xff, 0xd9], sizeBytes - 2);
  return bytes;
}

/** A PNG with as many empty chunks before its pixels as have room. */
function emptyChunks(png: Uint8Array, sizeBytes: number): Uint8Array {
  const header = 33; // signature and IHDR
  const chunk = [0, 0, 0, 0, 0x74, 0x45, 0x58, 0x74, 0xbe, 0x14, 0x3e, 0xd2]; // tEXt of length 0
  const count = Math.floor((sizeBytes - png.length) / chunk.length);
  return Buffer.concat([
    png.subarray(0, header),
    Buffer.alloc(count * chunk.length, Buffer.from(chunk)),
    png.subarray(header),
  ]);
}
