import { mkdir, link, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';

const DISTINCT = 200;
const CLASSES = 20;

/**
 * A dataset of `count` files in class folders: 200 different PNGs of 32×32 pixels, each under many names (hard links,
 * so that a hundred thousand take no more room than their names).
 * @param from how many of them are there already
 * @param size pixels to a side; 256 need no resizing, which takes most of the time
 */
export async function makeTinyImages(
  folder: string,
  count: number,
  { from = 0, size = 32 }: { from?: number; size?: number } = {},
): Promise<void> {
  for (let number = 0; number < CLASSES; number++)
    await mkdir(join(folder, className(number)), { recursive: true });
  const pathOf = (number: number) =>
    join(folder, className(number), `image-${String(number).padStart(6, '0')}.png`);
  for (let number = from; number < count; number++) {
    if (number < DISTINCT) await writeFile(pathOf(number), png(number, size));
    else await link(pathOf(number % DISTINCT), pathOf(number));
  }
}

const className = (number: number) => `class-${String(number % CLASSES).padStart(2, '0')}`;

/** A little PNG of 8-bit RGB (PNG specification, third edition, chapter 11): a gradient that `number` tells apart. */
function png(number: number, size: number): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(size * (1 + 3 * size));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < 3 * size; x++)
      rows[y * (1 + 3 * size) + 1 + x] = (y * 5 + x * (number % 7) + number) % 256;
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    part('IHDR', header),
    part('IDAT', deflateSync(rows)),
    part('IEND', Buffer.alloc(0)),
  ]);
}

function part(name: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(name, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
