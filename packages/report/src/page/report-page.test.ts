import { createHash } from 'node:crypto';
import { html, parse, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { expect, test } from 'vitest';
import { printable } from '@filterscope/errors/printable';
import { exampleRun } from '@filterscope/runs/test-support/example-run';
import type { TopCrop } from '@filterscope/results/top-crops';
import type { Report } from '../report.ts';
import { exampleReport } from '../test-support/example-report.ts';
import { bandOf } from './map-section.ts';
import { reportPage } from './report-page.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onload='alert(1)",
  '</style></title></textarea><svg onload=alert(1)>',
  '<!-- --><![CDATA[ ]]>&lt;&#60;&amp',
  'javascript:alert(1)',
  'a\u0000b\u001b[31m\u202ecba\u2028',
];

const crop = (image: string, missing = false): TopCrop => ({
  row: 1,
  max: 12.345,
  position: 3,
  image,
  class: image,
  x: 3,
  y: 0,
  field: { left: 0, top: 0, width: 5, height: 3 },
  crop: missing
    ? null
    : { bytes: Uint8Array.of(1, 2, 3), type: 'image/png', width: 95, height: 57, enlarged: 19 },
  missing: missing ? { code: 'changed', message: image } : null,
});

/** A report in which everything that comes from outside is `text`. */
function reportOf(text: string): Report {
  const run = exampleRun();
  const document = exampleRun({
    dataset: text,
    classes: [text, 'dog'],
    weights: { ...run.weights, name: text, synthetic: false },
    versions: { filterscope: text },
    settings: { ...run.settings, kernel: text },
  });
  const report = exampleReport({}, document);
  const shown = [{ row: report.filters[5], crops: [crop(text), crop(text, true)] }];
  const failures = [
    { status: 'failed' as const, code: text, images: 2, examples: [{ image: text, message: text }] },
  ];
  const rates = {
    images: 3,
    blank: 3,
    blankRate: 1,
    blankRateLow: 0.44,
    blankRateHigh: 1,
    restImages: 3,
    restBlank: 0,
    restBlankRate: 0,
  };
  const separated = {
    layer: 'block1_conv1',
    filter: 3,
    ...rates,
    difference: 1,
    low: -0.2,
    high: 1,
    adjustedP: 0.01,
  };
  const separating = {
    family: 'all',
    rows: [{ class: text, family: 'all', synthetic: false, ...separated }],
  };
  return { ...report, separating, mostSilent: shown, leastSilent: shown, failures };
}

function parsed(page: string) {
  const errors: string[] = [];
  const tree = parse(page, { onParseError: ({ code }) => errors.push(code) });
  const elements = (node: Tree.ParentNode): Tree.Element[] =>
    node.childNodes.flatMap((child) => ('tagName' in child ? [child, ...elements(child)] : []));
  return { errors, elements: elements(tree) };
}

const textOf = (node: Tree.ParentNode): string =>
  node.childNodes
    .map((child) => ('value' in child ? child.value : 'childNodes' in child ? textOf(child) : ''))
    .join('');

const shape = (all: readonly Tree.Element[]) =>
  all.map(({ tagName, attrs }) => [tagName, attrs.map(({ name }) => name)]);
const attribute = ({ attrs }: Tree.Element, wanted: string) =>
  attrs.find(({ name }) => name === wanted)?.value;

test.each(HOSTILE)('text from outside stays text: %j', (text) => {
  const calm = parsed(reportPage(reportOf('calm')));
  const { errors, elements } = parsed(reportPage(reportOf(text)));
  expect(errors).toEqual([]);
  // The same elements with the same attributes, whatever the text: none came of it.
  expect(shape(elements)).toEqual(shape(calm.elements));
  const values = elements.flatMap(({ attrs }) => attrs);
  expect(values.filter(({ name }) => name.startsWith('on') || name === 'href' || name === 'style')).toEqual(
    [],
  );
  for (const { value } of values.filter(({ name }) => name === 'src'))
    expect(value).toMatch(/^data:image\/(png|jpeg);base64,[\w+/=]+$/);
  const body = elements.find(({ tagName }) => tagName === 'body')!;
  expect(textOf(body).split(printable(text)).length - 1).toBeGreaterThanOrEqual(6);
});

test('the policy lets in nothing but the page’s own style sheet and pictures', () => {
  const { elements } = parsed(reportPage(exampleReport()));
  const policy = elements
    .flatMap(({ attrs }) => attrs)
    .find(({ value }) => value.includes('default-src'))!.value;
  const styles = elements.filter(({ tagName }) => tagName === 'style');
  expect(styles).toHaveLength(1);
  const digest = createHash('sha256').update(textOf(styles[0])).digest('base64');
  expect(policy).toBe(
    `default-src 'none'; img-src data:; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`,
  );
  expect(textOf(styles[0])).not.toMatch(/url\(|@import/);
  expect(elements.map(({ tagName }) => tagName)).not.toContain('script');
});

test('pictures have words, figures names, tables captions and headers, and no id twice', () => {
  const { elements } = parsed(reportPage(reportOf('calm')));
  const named = (tag: string) => elements.filter(({ tagName }) => tagName === tag);
  for (const image of named('img'))
    expect(attribute(image, 'alt')).toContain('5×3 pixels of calm, activation 12.35');
  const ids = elements.flatMap((element) => attribute(element, 'id') ?? []);
  expect(new Set(ids).size).toBe(ids.length);
  const svgs = elements.filter(
    ({ tagName, namespaceURI }) => tagName === 'svg' && namespaceURI === html.NS.SVG,
  );
  expect(svgs).toHaveLength(3);
  for (const svg of svgs)
    for (const id of attribute(svg, 'aria-labelledby')!.split(' ')) expect(ids).toContain(id);
  for (const table of named('table')) expect(table.childNodes[0].nodeName).toBe('caption');
  expect(named('th').every((cell) => attribute(cell, 'scope') !== undefined)).toBe(true);
});

test('made-up weights and runs that are not complete are marked where nobody overlooks it', () => {
  const marked = reportPage(exampleReport({ complete: false }));
  expect(marked).toContain('SYNTHETIC WEIGHTS');
  expect(marked).toContain('(synthetic weights)</title>');
  expect(marked).toContain('INCOMPLETE RUN: 100 of 100 rows');
  const plain = reportPage(reportOf('calm'));
  expect(plain).not.toMatch(/synthetic/i);
  expect(plain).not.toContain('INCOMPLETE');
  expect(plain).toContain('nothing published to compare with');
});

test('published shares stand beside the measured ones', () => {
  const page = reportPage(exampleReport({ published: new Map([['block1_conv1', 0.4711]]) }));
  expect(page).toContain('<th scope="col" class="number">published</th>');
  expect(page).toContain('<td class="number">47.11</td>');
  expect(page).toContain('<td class="number">−');
});

test('filters that tell classes apart, or that there is none', () => {
  expect(reportPage(reportOf('calm'))).toContain('<td class="number">+100.00 (−20.00 to +100.00)</td>');
  const none = reportPage(exampleReport({ separating: { family: '2 classes × 192 filters', rows: [] } }));
  expect(none).toContain('No filter’s blank rate tells a class from the rest');
});

test('bands hold what their titles say', () => {
  expect([0, 1e-9, 0.1, 0.11, 0.25, 0.5, 0.75, 0.9, 0.91, 1].map(bandOf)).toEqual([
    0, 1, 1, 2, 2, 3, 4, 5, 6, 6,
  ]);
});
