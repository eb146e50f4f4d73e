import type { Completion } from './complete-generated.ts';

/** What was measured with so many images. */
export interface Scale {
  readonly images: number;
  readonly chunks: number;
  /** The slower one of the two runs'. */
  readonly completion: Completion;
  /** Seconds of a whole command, by question. */
  readonly questions: Readonly<Record<string, { readonly median: number; readonly longest: number }>>;
  /** Load average of the last minute when the questions had been asked. */
  readonly load: number;
}

export interface ScaleReport {
  readonly machine: string;
  readonly scales: readonly Scale[];
  readonly times: number;
  /** Rows that have readings, for comparison. */
  readonly readRows: number;
}

/** What a million images may take, in seconds. */
const LIMITS: Readonly<Record<string, number>> = { layers: 1, filters: 1, filter: 1, compare: 3 };
const COMPLETION = { seconds: 60, bytes: 1e9 };

const count = (value: number) => value.toLocaleString('en');
const cells = (values: readonly string[]) => `| ${values.join(' | ')} |`;

/** The measurements as a page of Markdown. */
export function scaleReport({ machine, scales, times, readRows }: ScaleReport): string {
  const names = Object.keys(scales[0].questions);
  const rows = scales.map(({ images, chunks, completion, questions, load }) =>
    cells([
      count(images),
      count(chunks),
      completion.seconds.toFixed(1),
      completion.cpuSeconds.toFixed(1),
      (completion.peakBytes / 1e6).toFixed(0),
      ...names.map((name) => `${questions[name].median.toFixed(2)} (${questions[name].longest.toFixed(2)})`),
      load.toFixed(1),
    ]),
  );
  const limits = ['limit', '', String(COMPLETION.seconds), '', (COMPLETION.bytes / 1e6).toFixed(0)];
  return `# A million images

Written by \`node test/scale/million-run.ts\` on: ${machine}. It needs 4 GB of disk and a quarter of an hour.

Two runs of all thirteen layers over the same images, a thousand classes, one image in 500 a copy of another. The readings are a generator's, all else is real: each image's are added up as
a worker does it, chunks and commits are what a worker writes. Readings are kept of the first ${count(readRows)} rows only, as many as \`compare\` pairs: a million images' are 50 GB.

Completion is the whole of it: every chunk's images and sums read, checked against their SHA-256 and merged, all tables written. Questions are the whole command, \`npx\` left out, from
its start to its end, on a folder; the median of ${times} (the longest). Times in seconds, memory in MB.

${cells(['images', 'chunks', 'completion', 'of processor time', 'peak memory', ...names.map((name) => `\`${name}\``), 'load'])}
${cells(['---:', '---:', '---:', '---:', '---:', ...names.map(() => '---:'), '---:'])}
${rows.join('\n')}
${cells([...limits, ...names.map((name) => String(LIMITS[name] ?? '')), ''])}

![Growth of seconds and memory with the number of images](images/scale.svg)

Questions read tables whose size does not depend on the number of images, \`layers\` and \`filters\` one of some kilobytes, \`filter\` the merged sums and the sixteen parts of the manifest that name its
top images; \`compare\` reads which rows are ok in both runs and the readings of those that it pairs. Completion grows with the chunks; its memory little: the sums of a thousand classes, which each thread has, and the digests of all
images, by which copies are found.
`;
}
