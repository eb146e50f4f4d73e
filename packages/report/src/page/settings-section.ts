import type { Element } from 'hast';
import { h } from 'hastscript';
import type { GridSelection } from '@filterscope/runs/run-document';
import { count } from '../numbers.ts';
import type { Report } from '../report.ts';
import { weightsName } from '../wording.ts';
import { outside } from './table.ts';

/** What was run with what: enough to do it again. */
export function settingsSection({ document, index, complete }: Report): Element {
  const { run, dataset, manifest, weights, settings, createdAt, versions } = document;
  const engines = index.engines.map(({ name, version, processor }) => `${name} ${version} on ${processor}`);
  const facts: (readonly [string, string | Element])[] = [
    ['Run', outside(run)],
    ['State', complete ? 'complete' : `not complete: ${count(index.images)} of ${count(manifest.rows)} rows`],
    ['Dataset', outside(dataset)],
    ['Manifest', h('span', `${count(manifest.rows)} rows, SHA-256 `, outside(manifest.digest))],
    ['Weights', `${weightsName(weights)}${weights.synthetic ? ', made up' : ''}`],
    ['Weights digest', h('span', 'SHA-256 ', outside(weights.sha256))],
    [
      'Classes',
      document.labels === null
        ? 'the first folders'
        : h('span', outside(document.labels.name), ', SHA-256 ', outside(document.labels.sha256)),
    ],
    ['Layers', settings.layers.join(', ')],
    [
      'Fit',
      settings.fit === 'crop' ? 'crop: shorter side to 256, centre 224×224' : 'stretch: straight to 224×224',
    ],
    ['Resizing', settings.kernel],
    ['Grids', grids(settings.grids, settings.gridStyle)],
    ['Readings kept', settings.readings],
    [
      'Engine',
      engines.length > 1 ? `${engines.join('; ')}. Last bits may differ between them` : engines.join(''),
    ],
    [
      'Versions',
      Object.entries(versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['Planned', createdAt],
    ['Carried out', `${index.startedAt} to ${index.committedAt}`],
  ];
  return h(
    'section',
    h('h2', 'Settings'),
    h(
      'dl',
      facts.flatMap(([name, value]) => [h('dt', name), h('dd', value)]),
    ),
  );
}

function grids(selection: GridSelection, style: string | null): string {
  if (selection === 'none') return 'none';
  const which =
    selection === 'all'
      ? 'all images'
      : 'first' in selection
        ? `the first ${count(selection.first)} images`
        : `the first ${selection.percent} % of images`;
  return `${which}, style ${style ?? 'filter'}`;
}
