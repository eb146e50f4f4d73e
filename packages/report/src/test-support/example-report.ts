import { exampleRun } from '@filterscope/runs/test-support/example-run';
import { measuredLayers, type RunDocument } from '@filterscope/runs/run-document';
import { addReadings, createAccumulator } from '@filterscope/statistics/accumulator';
import { filterCount } from '@filterscope/statistics/readings';
import { summarizeFilters, summarizeLayers } from '@filterscope/statistics/summary';
import { classLines } from '../class-lines.ts';
import type { Report } from '../report.ts';

/**
 * A report of 6 images on the layers of `document`. Filter 0 of each layer is dead, filter 1 blank on the first image, and
 * the further back a filter, the more zeros it has.
 */
export function exampleReport(given: Partial<Report> = {}, document: RunDocument = exampleRun()): Report {
  const layers = measuredLayers(document);
  const accumulator = createAccumulator(layers);
  const filters = filterCount(layers);
  for (let row = 0; row < 6; row++) {
    const readings = {
      zeros: new Uint16Array(filters),
      max: new Float32Array(filters),
      mean: new Float32Array(filters),
      position: new Uint16Array(filters),
    };
    let i = 0;
    for (const { filters, positions } of layers) {
      for (let filter = 0; filter < filters; filter++, i++) {
        const blank = filter === 0 || (filter === 1 && row === 0);
        readings.zeros[i] = blank ? positions : Math.floor((positions * filter) / (2 * filters)) + row;
        readings.max[i] = blank ? 0 : 1 + filter;
        readings.mean[i] = blank ? 0 : 1;
      }
    }
    addReadings(accumulator, { row, classIds: [row % document.classes.length] }, readings);
  }
  const { synthetic } = document.weights;
  return {
    document,
    index: {
      v: 1,
      run: document.run,
      stoppedAt: null,
      generation: 'g',
      builtAt: '2024-05-06T07:10:00.000Z',
      images: document.manifest.rows,
      ok: 6,
      failed: 0,
      skipped: 0,
      reused: 0,
      duplicates: 0,
      cropImages: 0,
      engines: [{ name: 'onnx-cpu', version: '1.30.0', processor: 'x64-avx2' }],
      startedAt: '2024-05-06T07:08:00.000Z',
      committedAt: '2024-05-06T07:09:00.000Z',
      tables: { runs: [], layers: [], filters: [], images: [], readings: [] },
      merged: 'm',
    },
    complete: true,
    layers: summarizeLayers(accumulator).map((row) => ({ ...row, synthetic })),
    filters: summarizeFilters(accumulator).map((row) => ({ ...row, synthetic })),
    published: undefined,
    mostSilent: [],
    leastSilent: [],
    failures: [],
    classes: classLines(accumulator, document.classes),
    separating: undefined,
    madeAt: new Date('2024-05-06T08:00:00.000Z'),
    madeBy: '0.1.0',
    ...given,
  };
}
