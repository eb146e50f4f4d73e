import type { ObjectInfo } from '@filterscope/storage/object-store';
import { classOf, orderOf, skipCodeOf } from './image-key.ts';

/** One image of a run's manifest. Its row number is its index. */
export interface ManifestRow {
  /** Key below the dataset's URL. */
  readonly image: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly class: string | null;
  /** Why the row is skipped without a look at its bytes; null for an image. */
  readonly skip: string | null;
}

/** Rows in the manifest's order, made when they are asked for. An array of rows is one. */
export interface ManifestRows extends Iterable<ManifestRow> {
  readonly length: number;
  slice(from: number, to: number): readonly ManifestRow[];
}

/** Rows that can be found by their image. */
export interface FoundRows extends ManifestRows {
  /** The row of an image, by its key; undefined for one that is not among them. */
  rowOf(image: string): number | undefined;
}

/** Takes a listing in any order and gives its rows in the manifest's. */
export interface RowCollector {
  add(info: ObjectInfo): void;
  /** @param limit only the first so many images; names that are no image's are left out */
  sorted(limit?: number): FoundRows;
}

/**
 * Records lie one after the other in pages, on multiples of 8 bytes: a million objects would take V8's heap half a gigabyte
 * and much of its time. An address is a page and a place in it, in units of 8 bytes.
 */
const PAGE_BYTES = 1 << 20;
const UNIT = 8;
const PAGE_UNITS = PAGE_BYTES / UNIT;
/** In front of a record's text: size in bytes as a double, the digest's first four bytes, bytes of the key, and of the ETag. */
const HEADER_BYTES = 20;
/** Added to the bytes of an ETag that is stored as the bytes its hexadecimal digits stand for, as S3's mostly can be. */
const IN_HEX = 2 ** 31;

const keyBytesAt = (page: Buffer, at: number) => page.readUInt32LE(at + 12);
const etagBytesAt = (page: Buffer, at: number) => page.readUInt32LE(at + 16) % IN_HEX;
const sizeAt = (page: Buffer, at: number) =>
  roundUp(HEADER_BYTES + keyBytesAt(page, at) + etagBytesAt(page, at));

/** Takes about the bytes of the key and 50 more an object. */
export function collectRows(): RowCollector {
  const pages: Buffer[] = [];
  /** Bytes in use, by page. */
  const used: number[] = [];
  let length = 0;

  const placeOf = (address: number): [page: Buffer, at: number] => [
    pages[Math.floor(address / PAGE_UNITS)],
    (address % PAGE_UNITS) * UNIT,
  ];
  const keyOf = (address: number): string => {
    const [page, at] = placeOf(address);
    return page.toString('utf8', at + HEADER_BYTES, at + HEADER_BYTES + keyBytesAt(page, at));
  };
  const entryAt = (address: number): ManifestRow => {
    const [page, at] = placeOf(address);
    const image = keyOf(address);
    const etagAt = at + HEADER_BYTES + keyBytesAt(page, at);
    const encoding = page.readUInt32LE(at + 16) < IN_HEX ? 'utf8' : 'hex';
    const etag = page.toString(encoding, etagAt, etagAt + etagBytesAt(page, at));
    return {
      image,
      sizeBytes: page.readDoubleLE(at),
      etag,
      class: classOf(image),
      skip: skipCodeOf(image),
    };
  };
  /** The first four bytes of the digest of its key. */
  const digestAt = (address: number): number => {
    const [page, at] = placeOf(address);
    return page.readUInt32LE(at + 8);
  };
  const byDigest = (a: number, b: number) => orderOf(keyOf(a)).compare(orderOf(keyOf(b)));
  const isImage = (address: number) => skipCodeOf(keyOf(address)) === null;

  /** Addresses in the manifest's order. */
  const sort = (): Uint32Array => {
    // A 64-bit number a record, the digest's beginning in front of the address: sorted in place, without a call for each pair.
    const entries = new BigUint64Array(length);
    const halves = new Uint32Array(entries.buffer);
    let index = 0;
    for (const [i, page] of pages.entries()) {
      for (let at = 0; at < used[i]; at += sizeAt(page, at)) {
        halves[index++] = i * PAGE_UNITS + at / UNIT;
        halves[index++] = page.readUInt32LE(at + 8);
      }
    }
    entries.sort();
    const addresses = Uint32Array.from({ length }, (_, i) => halves[2 * i]);
    for (let from = 0, to = 1; from < length; from = to++) {
      while (to < length && halves[2 * to + 1] === halves[2 * from + 1]) to++;
      if (to > from + 1) addresses.subarray(from, to).sort(byDigest);
    }
    return addresses;
  };

  return {
    add({ key, sizeBytes, etag }) {
      const keyBytes = Buffer.byteLength(key);
      const encoding = /^(?:[\da-f]{2})+$/.test(etag) ? 'hex' : 'utf8';
      const etagBytes = Buffer.byteLength(etag, encoding);
      const bytes = roundUp(HEADER_BYTES + keyBytes + etagBytes);
      if (pages.length === 0 || used[used.length - 1] + bytes > PAGE_BYTES) {
        pages.push(Buffer.allocUnsafeSlow(Math.max(PAGE_BYTES, bytes)));
        used.push(0);
      }
      const page = pages[pages.length - 1];
      const at = used[used.length - 1];
      page.writeDoubleLE(sizeBytes, at);
      page.writeUInt32LE(orderOf(key).readUInt32BE(0), at + 8);
      page.writeUInt32LE(keyBytes, at + 12);
      page.writeUInt32LE(encoding === 'hex' ? etagBytes + IN_HEX : etagBytes, at + 16);
      page.write(key, at + HEADER_BYTES);
      page.write(etag, at + HEADER_BYTES + keyBytes, encoding);
      used[used.length - 1] += bytes;
      length++;
    },
    sorted(limit) {
      const all = sort();
      const order = limit === undefined ? all : Uint32Array.from(all.values().filter(isImage).take(limit));
      return {
        length: order.length,
        slice: (from, to) => Array.from(order.subarray(from, to), entryAt),
        [Symbol.iterator]: () => order.values().map(entryAt),
        rowOf(image) {
          const digest = orderOf(image).readUInt32BE(0);
          let [row, end] = [0, order.length]; // the first row whose digest is not below
          while (row < end) {
            const middle = (row + end) >>> 1;
            if (digestAt(order[middle]) < digest) row = middle + 1;
            else end = middle;
          }
          for (; row < order.length && digestAt(order[row]) === digest; row++) {
            if (keyOf(order[row]) === image) return row;
          }
          return undefined;
        },
      };
    },
  };
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / UNIT) * UNIT;
}
