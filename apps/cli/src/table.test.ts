import { expect, test } from 'vitest';
import { renderTable } from './table.ts';

test('columns as wide as their cells, two spaces apart, nothing behind a line', () => {
  const columns = [{ title: 'layer' }, { title: 'dead', align: 'right' as const }, { title: '' }];
  const rows = [
    ['block1_conv1', '0', ''],
    ['b', '1,234', 'x'],
  ];
  expect(renderTable(columns, rows)).toBe(
    'layer          dead\nblock1_conv1      0\nb             1,234  x\n',
  );
  expect(renderTable(columns, [])).toBe('layer  dead\n');
});

const KEY = 'n03028079/'.repeat(12) + 'n03028079_1234.JPEG';
const SENTENCE = 'the file has changed since the run was planned; start a new run to include it';

test('keys lose their beginning and sentences are wrapped, no more than a page demands', () => {
  const table = renderTable(
    [{ title: 'image', gives: 'shorten' }, { title: 'status' }, { title: 'why', gives: 'wrap' }],
    [
      [KEY, 'failed: changed', SENTENCE],
      ['1.jpg', 'failed: empty', 'the file is empty'],
    ],
  );
  const lines = table.trimEnd().split('\n');
  for (const line of lines) expect(Array.from(line).length).toBeLessThanOrEqual(100);
  expect(Array.from(lines[1]).length).toBeGreaterThan(80);
  expect(lines[1]).toMatch(/^….*n03028079_1234\.JPEG {2}failed: changed {2}the file/);
  const words = lines.map((line) => line.slice(lines[0].indexOf('why'))).join(' ');
  expect(words.replaceAll(/ +/g, ' ')).toContain(SENTENCE);

  const narrow = renderTable([{ title: 'image', gives: 'shorten' }], [[KEY.slice(-90)]]);
  expect(narrow).toContain(KEY.slice(-90));
});
