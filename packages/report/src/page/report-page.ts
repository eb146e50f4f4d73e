import { createHash } from 'node:crypto';
import { h } from 'hastscript';
import { markup } from '../markup.ts';
import { warningsOf } from '../main-figure.ts';
import type { Report } from '../report.ts';
import { headline, imageCount, summary, weightsName } from '../wording.ts';
import { filtersSection } from './filters-section.ts';
import { classesSection, failuresSection } from './images-section.ts';
import { layersSection } from './layers-section.ts';
import { mapSection } from './map-section.ts';
import { PAGE_CSS } from './page-style.ts';
import { settingsSection } from './settings-section.ts';
import { outside, paragraph } from './table.ts';

/** Nothing is loaded and nothing runs: one style sheet, known by its digest, and pictures within the page. */
const POLICY = [
  "default-src 'none'",
  'img-src data:',
  `style-src 'sha256-${createHash('sha256').update(PAGE_CSS).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * A report as one HTML file that needs nothing else. It is made as a tree and written by a serialiser, so that no text
 * from outside (keys, classes, messages, URLs) can become markup; there is no link to lead anywhere.
 */
export function reportPage(report: Report): string {
  const { document, madeAt, madeBy } = report;
  const title = headline(report);
  const page = h(null, [
    { type: 'doctype' },
    h('html', { lang: 'en' }, [
      h('head', [
        h('meta', { charSet: 'utf-8' }),
        h('meta', { httpEquiv: 'Content-Security-Policy', content: POLICY }),
        h('meta', { name: 'viewport', content: 'width=device-width, initial-scale=1' }),
        h('meta', { name: 'generator', content: `filterscope ${madeBy}` }),
        h('title', document.weights.synthetic ? `${title} (synthetic weights)` : title),
        h('style', PAGE_CSS),
      ]),
      h('body', [
        h('header', [
          h('h1', title),
          h('p', { className: ['facts'] }, [
            `${imageCount(report)} of `,
            outside(document.dataset),
            ` · weights ${weightsName(document.weights)} · fit ${document.settings.fit} · run `,
            outside(document.run.slice(0, 12)),
          ]),
          ...warningsOf(report).map((text) => h('p', { className: ['warning'], role: 'note' }, text)),
          paragraph(summary(report)),
        ]),
        h('main', [
          layersSection(report),
          mapSection(report),
          filtersSection(report),
          ...classesSection(report),
          failuresSection(report),
          settingsSection(report),
        ]),
        h('footer', `Written by filterscope ${madeBy} on ${madeAt.toISOString()}.`),
      ]),
    ]),
  ]);
  return `${markup(page)}\n`;
}
