import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readLabels } from './read-labels.ts';

async function read(text: string, chunkBytes = 7): Promise<{ labels: [string, string][]; sha256: string }> {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, i) =>
    bytes.subarray(i * chunkBytes, (i + 1) * chunkBytes),
  );
  const labels: [string, string][] = [];
  const sha256 = await readLabels(Readable.from(chunks), 'labels.csv', (...label) => labels.push(label));
  return { labels, sha256 };
}

const CAT = [['a.jpg', 'cat']];

test.each([
  ['a plain file', 'image,class\na.jpg,cat\n', CAT],
  ['no line end at its end', 'image,class\na.jpg,cat', CAT],
  ['a byte order mark and CRLF', '\uFEFFimage,class\r\na.jpg,cat\r\n', CAT],
  [
    'line ends of several kinds and empty lines',
    'image,class\r\n\r\na.jpg,cat\nb.jpg,dog\r',
    [...CAT, ['b.jpg', 'dog']],
  ],
  ['other columns in another order', 'split,class,image\ntrain,cat,a.jpg\n', CAT],
  ['quotes', '"image","class"\n"a, ""b""\n.jpg","a cat"\n', [['a, "b"\n.jpg', 'a cat']]],
  ['several classes of an image', 'image,class\na.jpg,cat\na.jpg,tame\n', [...CAT, ['a.jpg', 'tame']]],
  ['names beyond ASCII, cut anywhere', 'image,class\nä😀.jpg,čat\n', [['ä😀.jpg', 'čat']]],
])('%s', async (_, text, labels) => {
  const answer = await read(text);
  expect(answer.labels).toEqual(labels);
  expect(answer.sha256).toBe(createHash('sha256').update(text).digest('hex'));
});

const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;

test('whatever is written by the rules is read', async () => {
  const field = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 9 })
    .filter((text) => !/[|\uFEFF\uFFFD]/.test(text) && text.isWellFormed());
  const rows = fc.array(fc.tuple(field, field), { maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(rows, fc.integer({ min: 1, max: 9 }), async (labels, chunkBytes) => {
      const lines = [['image', 'class'], ...labels].map((cells) => cells.map(quoted).join(','));
      expect((await read(lines.join('\r\n'), chunkBytes)).labels).toEqual(labels);
    }),
  );
});

test.each([
  ['', 'it is empty; its first line has to name the columns'],
  ['a.jpg,cat\n', 'its first line has to name the columns, such as "image,class"; it is "a.jpg,cat"'],
  ['image;class\na.jpg;cat\n', 'it is "image;class"'],
  ['image,class\na.jpg,cat\nb.jpg\n', 'expect 2, got 1 on line 3'],
  ['image,class\na.jpg,cat\nb.jpg,dog,tame\n', 'expect 2, got 3 on line 3'],
  ['image,class\na.jpg,"cat\n', 'opening quote at line'],
  ['image,class\na.jpg,c"a"t\n', 'Invalid Opening Quote'],
  ['image,class\n,cat\n', 'line 2: there is no image'],
  ['image,class\na.jpg,cat\nb.jpg,\n', 'line 3: there is no class; leave the line out'],
  ['image,class\na.jpg,cat|dog\n', 'line 2: a class cannot have "|" in its name'],
  [`image,class\na.jpg,${'x'.repeat(256)}\n`, 'line 2: a class has at most 255 characters'],
  [`image,class\n${'x'.repeat(70_000)},cat\n`, 'at line 2'],
])('%s is refused', async (text, message) => {
  const refusal = { code: 'bad-labels', message: expect.stringContaining(message) as string };
  await expect(read(text)).rejects.toMatchObject(refusal);
  await expect(read(text)).rejects.toThrow(/^labels\.csv: /);
});

test('bytes that are no UTF-8 are refused', async () => {
  const file = Readable.from([Buffer.from('image,class\nb.jpg,caf'), Buffer.from([0xe9, 0x0a])]);
  await expect(readLabels(file, 'labels.csv', () => undefined)).rejects.toThrow('line 2: it is not UTF-8');
});

test('trouble with the file is not taken for trouble with what it says', async () => {
  const broken = new Readable({ read: () => broken.destroy(new Error('disk')) });
  await expect(readLabels(broken, 'labels.csv', () => undefined)).rejects.toThrow('disk');
});
