import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CsvError, parse } from 'csv-parse';
import { FilterscopeError } from '@filterscope/errors/filterscope-error';
import { CLASS_SEPARATOR } from './row-classes.ts';

/** A line of a labels file: an image, by its key below the dataset's URL, is of a class. */
export type OnLabel = (image: string, name: string) => void;

/** Labels beyond this many are surely no labels of images. */
const MAX_LABELS = 20_000_000;
/** S3's longest key and the longest class, with room for quotes and for columns of other kinds. */
const MAX_LINE = 64 * 1024;
const MAX_CLASS_LENGTH = 255;

/**
 * Reads a CSV file (RFC 4180; a byte order mark and any line ends are fine) whose first line names the columns `image` and
 * `class`, in any order and beside others, which are left alone. An image with several classes has a line for each.
 * @param name of the file, for messages
 * @returns SHA-256 of the file
 * @throws FilterscopeError `bad-labels` with the number of the line that is wrong.
 */
export async function readLabels(
  file: Readable,
  name: string,
  onLabel: OnLabel,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash('sha256');
  file.on('data', (bytes: Buffer) => hash.update(bytes));
  const bad = (message: string) => new FilterscopeError('bad-labels', `${name}: ${message}`);
  let columns: { image: number; class: number } | undefined;
  let labels = 0;
  const parser = parse({
    bom: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: MAX_LINE,
    // Taken here rather than from the stream, whose objects would cost more than the parsing.
    on_record(cells: string[], { lines }) {
      if (!columns) {
        columns = { image: cells.indexOf('image'), class: cells.indexOf('class') };
        if (columns.image >= 0 && columns.class >= 0) return null;
        throw bad(
          `its first line has to name the columns, such as "image,class"; it is "${cells.join(',')}"`,
        );
      }
      const [image, cls] = [cells[columns.image], cells[columns.class]];
      const problem = problemOf(image, cls);
      if (problem !== undefined) throw bad(`line ${lines}: ${problem}`);
      if (++labels > MAX_LABELS) throw bad(`it has more than ${MAX_LABELS} lines`);
      onLabel(image, cls);
      return null;
    },
  });
  parser.resume();
  try {
    await pipeline(file, parser, signal ? { signal } : {});
  } catch (error) {
    throw error instanceof CsvError ? bad(error.message) : error;
  }
  if (!columns) throw bad('it is empty; its first line has to name the columns, such as "image,class"');
  return hash.digest('hex');
}

function problemOf(image: string, cls: string): string | undefined {
  if (image === '') return 'there is no image';
  if (cls === '') return 'there is no class; leave the line out for an image that has none';
  if (cls.includes(CLASS_SEPARATOR)) {
    return `a class cannot have "${CLASS_SEPARATOR}" in its name, as in "${cls}"; an image with several classes has a line for each`;
  }
  if (cls.length > MAX_CLASS_LENGTH) return `a class has at most ${MAX_CLASS_LENGTH} characters`;
  if (`${image}${cls}`.includes('\uFFFD')) return 'it is not UTF-8';
  return undefined;
}
